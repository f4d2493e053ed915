import type { Localised } from '../errors/messages.ts';

interface ReasonRow {
  readonly verdict: 'unknown' | 'warning' | 'unlikely';
  readonly message: Localised;
}

/** The codes of `delivery.reasons`, for programs; they stay as they are. */
export const REASONS = {
  FORMAT_NOT_DELIVERED: {
    verdict: 'unlikely',
    message: {
      en: 'This channel does not deliver {format} files. It delivers {formats}.',
      es: 'Este canal no entrega archivos {format}. Entrega {formats}.',
    },
  },
  FORMAT_MAY_BE_DROPPED: {
    verdict: 'warning',
    message: {
      en: 'On this channel, {format} files may arrive as a link, or not at all. It delivers {formats}.',
      es: 'En este canal, los archivos {format} pueden llegar como enlace o no llegar. Entrega {formats}.',
    },
  },
  FILE_TOO_LARGE_FOR_CHANNEL: {
    verdict: 'unlikely',
    message: {
      en: 'The file is {size}. This channel delivers such files up to {limit}.',
      es: 'El archivo ocupa {size}. Este canal entrega hasta {limit} de ese tipo.',
    },
  },
  MESSAGE_TOO_LARGE: {
    verdict: 'unlikely',
    message: {
      en: 'The files are {size} in total. This channel delivers up to {limit} per message.',
      es: 'Todos los archivos juntos ocupan {size}. Este canal entrega hasta {limit} por mensaje.',
    },
  },
  TOO_LARGE_FOR_TOLL_FREE: {
    verdict: 'warning',
    message: {
      en: 'From a toll-free number, messages over {limit} may not arrive. This one is {size}.',
      es: 'Desde un número gratuito, los mensajes de más de {limit} pueden no llegar. Este ocupa {size}.',
    },
  },
  VIDEO_CODEC_NOT_DELIVERED: {
    verdict: 'unlikely',
    message: {
      en: 'This channel delivers videos coded as H.264 only. This one is coded as {codec}: convert it to H.264.',
      es: 'Este canal solo entrega videos codificados en H.264. Este está codificado en {codec}: conviértelo a H.264.',
    },
  },
  AUDIO_CODEC_NOT_DELIVERED: {
    verdict: 'unlikely',
    message: {
      en: 'This channel does not deliver sound coded as {codec}. It delivers {codecs}.',
      es: 'Este canal no entrega sonido codificado en {codec}. Entrega {codecs}.',
    },
  },
  SEVERAL_AUDIO_TRACKS: {
    verdict: 'unlikely',
    message: {
      en: 'This channel delivers videos with one audio track. This one has several.',
      es: 'Este canal entrega videos con una sola pista de audio. Este tiene varias.',
    },
  },
  COLOURS_NOT_DELIVERED: {
    verdict: 'unlikely',
    message: {
      en: 'This channel delivers pictures with 8 bits per colour in RGB. Save the picture again as an ordinary JPEG.',
      es: 'Este canal entrega imágenes RGB de 8 bits por color. Vuelve a guardar la imagen como un JPEG normal.',
    },
  },
  CODEC_NOT_SEEN: {
    verdict: 'unknown',
    message: {
      en: 'The codec can’t be determined from the bytes that were sent.',
      es: 'Los bytes enviados aquí no indican cómo está codificada la grabación.',
    },
  },
  SIZE_NOT_KNOWN: {
    verdict: 'unknown',
    message: {
      en: 'The size of the file is not known: send fileSize.',
      es: 'No se conoce el tamaño del archivo: envía fileSize.',
    },
  },
  CHANNEL_NOT_KNOWN: {
    verdict: 'unknown',
    message: {
      en: 'Nothing is known about what {channel} delivers.',
      es: 'No se sabe qué entrega {channel}.',
    },
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

/** A code of `delivery.reasons`. */
export type ReasonCode = keyof typeof REASONS;
