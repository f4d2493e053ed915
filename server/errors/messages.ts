/** The languages that error messages are written in. */
export const LANGUAGES = ['en', 'es'] as const;

/** A language that error messages are written in. */
export type Language = (typeof LANGUAGES)[number];

/** A text in every language. */
export type Localised = Readonly<Record<Language, string>>;

/**
 * The messages of error responses. A key is an error code, or a code with a variant that says more (`INVALID_FIELD.id`).
 * `{name}` stands for a parameter of the error.
 */
export const MESSAGES = {
  BAD_REQUEST: {
    en: 'The HTTP request is malformed.',
    es: 'La solicitud HTTP está mal formada.',
  },
  'BAD_REQUEST.transfer': {
    en: 'The request must have exactly one Host header and a length or plain chunked encoding.',
    es: 'La solicitud debe llevar un solo encabezado Host y una longitud o la codificación chunked.',
  },
  'BAD_REQUEST.contentTypes': {
    en: 'The request has two Content-Type headers: send one.',
    es: 'La solicitud lleva dos encabezados Content-Type: envía uno solo.',
  },
  'BAD_REQUEST.target': {
    en: 'The path of the request is ambiguous: send it without encoded slashes or dots.',
    es: 'La ruta de la solicitud es ambigua: envíala sin barras ni puntos codificados.',
  },
  'BAD_REQUEST.chunks': {
    en: 'The body arrives in chunks of a few bytes: send larger ones.',
    es: 'El cuerpo llega en fragmentos de unos pocos bytes: envía fragmentos más grandes.',
  },
  BAD_MULTIPART: {
    en: 'The form is malformed: send it as multipart/form-data.',
    es: 'El formulario está mal formado: envíalo como multipart/form-data.',
  },
  'BAD_MULTIPART.truncated': {
    en: 'The form ends before its closing boundary: a part of it is missing.',
    es: 'El formulario termina antes de su boundary final: falta una parte.',
  },
  'BAD_MULTIPART.lineEnds': {
    en: 'The lines of the form end in LF alone: multipart/form-data needs CR LF.',
    es: 'Las líneas del formulario terminan solo en LF: multipart/form-data exige CR LF.',
  },
  'BAD_MULTIPART.preamble': {
    en: 'There is text before the first boundary of the form.',
    es: 'Hay texto antes del primer boundary del formulario.',
  },
  'BAD_MULTIPART.otherBoundary': {
    en: 'The form begins with a boundary other than the one in Content-Type.',
    es: 'El formulario empieza con un boundary distinto del que indica Content-Type.',
  },
  'BAD_MULTIPART.boundaryInContent': {
    en: 'A line of the content begins with the boundary: choose a boundary that does not occur in the content.',
    es: 'Una línea del contenido empieza con el boundary: elige uno que no aparezca en el contenido.',
  },
  'BAD_MULTIPART.parts': {
    en: 'The form has more than {max} parts.',
    es: 'El formulario tiene más de {max} partes.',
  },
  'BAD_MULTIPART.fields': {
    en: 'The form has more than {max} text fields.',
    es: 'El formulario tiene más de {max} campos de texto.',
  },
  'BAD_MULTIPART.partHeaders': {
    en: 'The headers of a part are longer than {max} bytes.',
    es: 'Los encabezados de una parte superan los {max} bytes.',
  },
  'BAD_MULTIPART.fieldName': {
    en: 'The name of a field is longer than {max} bytes.',
    es: 'El nombre de un campo supera los {max} bytes.',
  },
  'BAD_MULTIPART.header': {
    en: 'A part has a malformed header.',
    es: 'Una parte tiene un encabezado mal formado.',
  },
  'BAD_MULTIPART.duplicateHeader': {
    en: 'A part has two {header} headers.',
    es: 'Una parte tiene dos encabezados {header}.',
  },
  'BAD_MULTIPART.noDisposition': {
    en: 'A part has no Content-Disposition.',
    es: 'Una parte no tiene Content-Disposition.',
  },
  'BAD_MULTIPART.notFormData': {
    en: 'A part has a Content-Disposition other than form-data.',
    es: 'Una parte tiene un Content-Disposition distinto de form-data.',
  },
  'BAD_MULTIPART.disposition': {
    en: 'A part has a malformed Content-Disposition.',
    es: 'Una parte tiene un Content-Disposition mal formado.',
  },
  'BAD_MULTIPART.duplicateParameter': {
    en: 'A part has {parameter} twice in its Content-Disposition.',
    es: 'Una parte tiene {parameter} dos veces en su Content-Disposition.',
  },
  'BAD_MULTIPART.noName': {
    en: 'A part has no name.',
    es: 'Una parte no tiene nombre de campo (name).',
  },
  'BAD_MULTIPART.extendedName': {
    en: 'A part has name*: only the plain name parameter is accepted.',
    es: 'Una parte tiene name*: solo se acepta el parámetro name.',
  },
  'BAD_MULTIPART.extendedFilename': {
    en: 'A part has a malformed filename* and no plain filename.',
    es: 'Una parte tiene un filename* mal formado y ningún filename simple.',
  },
  'BAD_MULTIPART.transferEncoding': {
    en: 'A part has a Content-Transfer-Encoding: send its bytes as they are.',
    es: 'Una parte tiene Content-Transfer-Encoding: envía sus bytes tal cual.',
  },
  'BAD_MULTIPART.nested': {
    en: 'A part is a multipart body itself: send each file as its own part.',
    es: 'Una parte es a su vez un cuerpo multipart: envía cada archivo en su propia parte.',
  },
  BAD_JSON: {
    en: 'The body is not valid JSON; an object was expected.',
    es: 'El cuerpo no es JSON válido; se esperaba un objeto.',
  },
  'BAD_JSON.values': {
    en: 'The JSON of the body holds more than {limit} values.',
    es: 'El JSON del cuerpo contiene más de {limit} valores.',
  },
  MISSING_FIELD: {
    en: 'The field "{field}" is required.',
    es: 'Falta el campo obligatorio "{field}".',
  },
  'MISSING_FIELD.recipient': {
    en: 'One of the fields "conversationId" and "contactId" is required.',
    es: 'Hace falta uno de los campos "conversationId" y "contactId".',
  },
  INVALID_FIELD: {
    en: 'The field "{field}" is not valid.',
    es: 'El campo "{field}" no es válido.',
  },
  'INVALID_FIELD.idempotencyKey': {
    en: '{field} must be 1 to 128 characters of A-Z a-z 0-9 _ -, sent once.',
    es: '{field} debe tener de 1 a 128 caracteres de A-Z a-z 0-9 _ - y enviarse una sola vez.',
  },
  'INVALID_FIELD.id': {
    en: 'The field "{field}" must have 1 to 64 letters, digits, "_" or "-".',
    es: 'El campo "{field}" debe tener de 1 a 64 letras, dígitos, "_" o "-".',
  },
  'INVALID_FIELD.oneOf': {
    en: 'The field "{field}" must be one of: {expected}.',
    es: 'El campo "{field}" debe ser uno de: {expected}.',
  },
  'INVALID_FIELD.size': {
    en: 'The field "{field}" must be a whole number of bytes, 1 or more.',
    es: 'El campo "{field}" debe ser un número entero de bytes, 1 o más.',
  },
  'INVALID_FIELD.chatServiceSid': {
    en: 'The field "{field}" must be "IS" followed by 32 hexadecimal digits.',
    es: 'El campo "{field}" debe ser "IS" seguido de 32 dígitos hexadecimales.',
  },
  'INVALID_FIELD.channel': {
    en: 'The field "{field}" must be a channel name such as SMS, WHATSAPP or EMAIL.',
    es: 'El campo "{field}" debe ser el nombre de un canal, como SMS, WHATSAPP o EMAIL.',
  },
  'INVALID_FIELD.attachmentUrl': {
    en: 'The field "{field}" must be an https URL on an allowed origin.',
    es: 'El campo "{field}" debe ser una URL https de un origen permitido.',
  },
  'INVALID_FIELD.text': {
    en: 'The field "{field}" must be text.',
    es: 'El campo "{field}" debe ser texto.',
  },
  'INVALID_FIELD.tooLong': {
    en: 'The field "{field}" is too long.',
    es: 'El campo "{field}" es demasiado largo.',
  },
  'INVALID_FIELD.contradiction': {
    en: 'The field "{field}" does not match the upload ticket.',
    es: 'El campo "{field}" no coincide con el ticket de subida.',
  },
  'INVALID_FIELD.groupSms': {
    en: 'The field "{field}" requires mode=forward, because only a forwarded file gets a media SID.',
    es: 'El campo "{field}" exige mode=forward, porque solo un archivo reenviado recibe un SID.',
  },
  'INVALID_FIELD.secureAttachment': {
    en: 'The field "{field}" requires mode=forward, because Leadway keeps only forwarded files private.',
    es: 'El campo "{field}" exige mode=forward, porque Leadway solo mantiene privados los archivos reenviados.',
  },
  DUPLICATE_FIELD: {
    en: 'The field "{field}" was sent more than once.',
    es: 'El campo "{field}" se envió más de una vez.',
  },
  UNEXPECTED_FILE_FIELD: {
    en: 'Files must be sent in the field "fileAttachment", not "{field}".',
    es: 'Los archivos deben enviarse en el campo "fileAttachment", no en "{field}".',
  },
  NO_FILE: {
    en: 'No file was sent in the field "fileAttachment".',
    es: 'No se envió ningún archivo en el campo "fileAttachment".',
  },
  TOO_MANY_FILES: {
    en: 'Too many files: at most {max} can be sent at once.',
    es: 'Demasiados archivos: se pueden enviar {max} a la vez como máximo.',
  },
  EMPTY_FILE: {
    en: 'The file "{filename}" is empty.',
    es: 'El archivo "{filename}" está vacío.',
  },
  'EMPTY_FILE.declared': {
    en: 'The file is empty: it has 0 bytes.',
    es: 'El archivo está vacío: tiene 0 bytes.',
  },
  BAD_FILENAME: {
    en: 'The file name cannot be used: give the file a plain name with an extension.',
    es: 'El nombre del archivo no se puede usar: debe ser un nombre simple y con extensión.',
  },
  'BAD_FILENAME.missing': {
    en: 'A file was sent without a file name: give its part a filename.',
    es: 'Se envió un archivo sin nombre: indica un filename en su parte.',
  },
  'BAD_FILENAME.tooLong': {
    en: 'The file name is too long: give the file a shorter name.',
    es: 'El nombre del archivo es demasiado largo: ponle uno más corto.',
  },
  'BAD_FILENAME.encoding': {
    en: 'The file name has characters that cannot be read: rename the file.',
    es: 'El nombre del archivo tiene caracteres ilegibles: cambia el nombre.',
  },
  'BAD_FILENAME.direction': {
    en: 'The file name has hidden characters that reverse the reading direction: rename the file.',
    es: 'El nombre del archivo tiene caracteres ocultos que invierten el sentido de lectura: cambia el nombre.',
  },
  'BAD_FILENAME.stream': {
    en: 'The file name has a colon after an extension: rename the file.',
    es: 'El nombre del archivo tiene dos puntos después de una extensión: cambia el nombre.',
  },
  SIZE_MISMATCH: {
    en: 'The file’s size does not match the announced size: choose the file again.',
    es: 'El tamaño del archivo no es el que se anunció: vuelve a elegir el archivo.',
  },
  FIELD_ORDER: {
    en: 'The field "{field}" must come before the file.',
    es: 'El campo "{field}" debe ir antes del archivo.',
  },
  UNAUTHENTICATED: {
    en: 'Sign in to upload files.',
    es: 'Inicia sesión para subir archivos.',
  },
  ORIGIN_NOT_ALLOWED: {
    en: 'This website is not allowed to use this server.',
    es: 'Este sitio web no tiene permiso para usar este servidor.',
  },
  'ORIGIN_NOT_ALLOWED.host': {
    en: 'Outside production this server does not accept the host "{host}". Add its origin to ALLOWED_ORIGINS, for example http://{host}.',
    es: 'Fuera de producción este servidor no acepta el host "{host}". Agrega su origen a ALLOWED_ORIGINS, por ejemplo http://{host}.',
  },
  LOCATION_NOT_ALLOWED: {
    en: 'This location does not exist or is not yours.',
    es: 'Esta ubicación no existe o no es tuya.',
  },
  TICKET_INVALID: {
    en: 'The upload ticket is not valid: start the upload again.',
    es: 'El ticket de subida no es válido: empieza la subida de nuevo.',
  },
  NOT_FOUND: {
    en: 'There is nothing at this address.',
    es: 'No hay nada en esta dirección.',
  },
  'NOT_FOUND.conversation': {
    en: 'The conversation was not found.',
    es: 'No se encontró la conversación.',
  },
  NOT_UPLOADED: {
    en: 'The file has not arrived in storage: upload it before completing.',
    es: 'El archivo no llegó al almacenamiento: súbelo antes de completar la subida.',
  },
  METHOD_NOT_ALLOWED: {
    en: 'This address accepts only {allow}.',
    es: 'Esta dirección solo admite {allow}.',
  },
  REQUEST_TIMEOUT: {
    en: 'The request took too long to arrive: check your connection and try again.',
    es: 'La solicitud tardó demasiado en llegar: revisa tu conexión e inténtalo de nuevo.',
  },
  IDEMPOTENCY_UNKNOWN: {
    en: 'The file may have been sent already: look in the conversation before you send it again.',
    es: 'Puede que el archivo ya se haya enviado: compruébalo en la conversación antes de volver a enviarlo.',
  },
  TICKET_EXPIRED: {
    en: 'The upload ticket has expired: start the upload again.',
    es: 'El ticket de subida venció: empieza la subida de nuevo.',
  },
  FILE_TOO_LARGE: {
    en: 'The file is larger than {limit}. Send a smaller one, or a link to it.',
    es: 'El archivo supera {limit}. Envía uno más pequeño o un enlace.',
  },
  BODY_TOO_LARGE: {
    en: 'The request body is larger than {limit}.',
    es: 'El cuerpo de la solicitud supera {limit}.',
  },
  URI_TOO_LONG: {
    en: 'The request address is too long.',
    es: 'La dirección de la solicitud es demasiado larga.',
  },
  NOT_MULTIPART: {
    en: 'Send the upload as multipart/form-data with a boundary.',
    es: 'Envía la subida como multipart/form-data con un boundary.',
  },
  'NOT_MULTIPART.boundary': {
    en: 'Content-Type has a malformed boundary: use 1 to 70 letters, digits or "-", and quote anything else.',
    es: 'Content-Type tiene un boundary mal formado: usa de 1 a 70 letras, dígitos o "-", y lo demás entre comillas.',
  },
  'NOT_MULTIPART.twoBoundaries': {
    en: 'Content-Type has two boundaries: send one.',
    es: 'Content-Type tiene dos boundary: envía uno solo.',
  },
  NOT_JSON: {
    en: 'Send the request as application/json in UTF-8.',
    es: 'Envía la solicitud como application/json en UTF-8.',
  },
  UNSUPPORTED_ENCODING: {
    en: 'Send the body without a Content-Encoding.',
    es: 'Envía el cuerpo sin Content-Encoding.',
  },
  TYPE_NOT_ALLOWED: {
    en: '{extension} files are not accepted. Accepted: {allowed}.',
    es: 'No se aceptan archivos {extension}. Se aceptan: {allowed}.',
  },
  'TYPE_NOT_ALLOWED.kind': {
    en: '{filename} looks like {found}, which is not accepted. Accepted: {allowed}.',
    es: '{filename} parece {found}, y ese tipo de archivo no se acepta. Se aceptan: {allowed}.',
  },
  'TYPE_NOT_ALLOWED.advice': {
    en: '{filename} looks like {found}, which is not accepted. {advice} Accepted: {allowed}.',
    es: '{filename} parece {found}, y ese tipo de archivo no se acepta. {advice} Se aceptan: {allowed}.',
  },
  'TYPE_NOT_ALLOWED.rename': {
    en: '{filename} looks like {found}, but names that end in {extension} are not accepted. {advice} Accepted: {allowed}.',
    es: '{filename} parece {found}, pero no se aceptan nombres que terminan en {extension}. {advice} Se aceptan: {allowed}.',
  },
  'TYPE_NOT_ALLOWED.noExtension': {
    en: 'The file name has no extension such as {example}: rename the file. Accepted: {allowed}.',
    es: 'El nombre del archivo no termina en una extensión como {example}: cambia el nombre. Se aceptan: {allowed}.',
  },
  TYPE_MISMATCH: {
    en: 'The content of the file does not match its name.',
    es: 'El contenido del archivo no es lo que indica su nombre.',
  },
  'TYPE_MISMATCH.content': {
    en: '{filename} is not {expected}: it looks like {found}.',
    es: '{filename} no es {expected}: parece {found}.',
  },
  'TYPE_MISMATCH.advice': {
    en: '{filename} is not {expected}: it looks like {found}. {advice}',
    es: '{filename} no es {expected}: parece {found}. {advice}',
  },
  'TYPE_MISMATCH.encrypted': {
    en: 'The document is protected with a password. Save it without the password and upload it again.',
    es: 'El documento está protegido con contraseña. Guárdalo sin contraseña y vuelve a subirlo.',
  },
  'TYPE_MISMATCH.unknown': {
    en: 'The file is damaged or not really {expected}.',
    es: 'El archivo está dañado o en realidad no es {expected}.',
  },
  'TYPE_MISMATCH.declared': {
    en: 'Your browser reports this file as {declared}, but its name says it is {expected}. If the name is right, try another browser or device.',
    es: 'Tu navegador indica que este archivo es {declared}, pero por su nombre es {expected}. Si el nombre es correcto, prueba con otro navegador o dispositivo.',
  },
  'TYPE_MISMATCH.ticket': {
    en: 'The Content-Type must be {expected}, as in the response that contained the ticket.',
    es: 'El Content-Type debe ser {expected}, como en la respuesta que contenía el ticket.',
  },
  EXPECTATION_FAILED: {
    en: 'The only expectation that this server supports is 100-continue.',
    es: 'La única expectativa que admite este servidor es 100-continue.',
  },
  NOT_DELIVERABLE: {
    en: '{reason} So {filename} would not be delivered.',
    es: '{reason} Por eso {filename} no se entregaría.',
  },
  UPLOAD_REJECTED: {
    en: 'This upload is not allowed here.',
    es: 'Aquí no se permite esta subida.',
  },
  IDEMPOTENCY_MISMATCH: {
    en: 'Something else was sent with this Idempotency-Key: look in the conversation, then send the file again.',
    es: 'Con esta Idempotency-Key ya se envió otra cosa: compruébalo en la conversación y vuelve a enviar el archivo.',
  },
  FILE_INFECTED: {
    en: '{filename} contains malware and was not sent. Scan your device for viruses.',
    es: '{filename} contiene un programa malicioso y no se envió. Analiza tu equipo en busca de virus.',
  },
  RATE_LIMITED: {
    en: 'Too many requests: try again in {seconds} s.',
    es: 'Demasiadas solicitudes: inténtalo de nuevo en {seconds} s.',
  },
  TOO_MANY_UPLOADS: {
    en: 'Too many uploads at once: wait until one of them has finished.',
    es: 'Demasiadas subidas a la vez: espera a que termine una.',
  },
  HEADERS_TOO_LARGE: {
    en: 'The request headers are too large, most often because of cookies: delete this site’s cookies.',
    es: 'Los encabezados de la solicitud son demasiado grandes, casi siempre por las cookies: borra las de este sitio.',
  },
  INTERNAL: {
    en: 'Something went wrong on the server: tell its administrator.',
    es: 'Algo falló en el servidor: avisa al administrador.',
  },
  'INTERNAL.bodyRead': {
    en: 'The server is misconfigured: something read the upload before the upload router. Its log says how to fix it.',
    es: 'El servidor está mal configurado: algo leyó la subida antes que el router de subidas. Su registro dice cómo arreglarlo.',
  },
  DIRECT_UNAVAILABLE: {
    en: 'Direct upload is not offered: use mode={use}.',
    es: 'La subida directa no está disponible: usa mode={use}.',
  },
  UPSTREAM_ERROR: {
    en: 'Leadway failed or returned an invalid response: try again later.',
    es: 'Leadway falló o devolvió una respuesta no válida: inténtalo de nuevo más tarde.',
  },
  'UPSTREAM_ERROR.final': {
    en: 'Leadway can’t handle the request: tell the administrator of this server.',
    es: 'Leadway no puede atender la solicitud: avisa al administrador de este servidor.',
  },
  UPSTREAM_UNREACHABLE: {
    en: 'Leadway can’t be reached at the moment: try again later.',
    es: 'En este momento no se puede conectar con Leadway: inténtalo de nuevo más tarde.',
  },
  UPSTREAM_AUTH: {
    en: 'Leadway rejected the credentials of this server: tell its administrator.',
    es: 'Leadway rechazó las credenciales de este servidor: avisa al administrador.',
  },
  UPSTREAM_ABORTED: {
    en: 'The connection to Leadway broke before it responded: try again.',
    es: 'La conexión con Leadway se cortó antes de que respondiera: inténtalo de nuevo.',
  },
  UPSTREAM_REJECTED: {
    en: 'Leadway rejected the request.',
    es: 'Leadway rechazó la solicitud.',
  },
  'UPSTREAM_REJECTED.length': {
    en: 'Leadway needs the size of the file in advance: send the field "fileSize" before the file.',
    es: 'Leadway necesita saber de antemano el tamaño del archivo: envía el campo "fileSize" antes del archivo.',
  },
  STORAGE_REFUSED: {
    en: 'The storage rejected the file: start the upload again.',
    es: 'El almacenamiento rechazó el archivo: empieza la subida de nuevo.',
  },
  BUSY: {
    en: 'The server is busy: try again shortly.',
    es: 'El servidor está ocupado: inténtalo de nuevo en un momento.',
  },
  DRAINING: {
    en: 'The server is shutting down: try again shortly.',
    es: 'El servidor se está apagando: inténtalo de nuevo en un momento.',
  },
  SCAN_UNAVAILABLE: {
    en: 'The file cannot be scanned for viruses at the moment: try again in a minute.',
    es: 'Ahora no se puede analizar el archivo en busca de virus: inténtalo de nuevo en un minuto.',
  },
  'SCAN_UNAVAILABLE.tooLarge': {
    en: '{filename} is too large to be scanned for viruses, so it was not sent. Send a smaller file.',
    es: '{filename} es demasiado grande para analizarlo en busca de virus y no se envió. Envía uno más pequeño.',
  },
  UPSTREAM_BUDGET: {
    en: 'Leadway accepts no more requests for now: try again in {seconds} s.',
    es: 'Leadway no admite más solicitudes por ahora: inténtalo de nuevo en {seconds} s.',
  },
  UPSTREAM_TIMEOUT: {
    en: 'Leadway took too long to respond: try again.',
    es: 'Leadway tardó demasiado en responder: inténtalo de nuevo.',
  },
} as const satisfies Record<string, Localised>;

/** The key of a message: a code, or a code with a variant. */
export type MessageKey = keyof typeof MESSAGES;

/** Values for the `{name}` places of a message. */
export type MessageParams = Readonly<Record<string, string | number | Localised>>;

/** The message `key` in `language`, with its places filled from `params`. */
export function formatMessage(key: MessageKey, language: Language, params: MessageParams = {}): string {
  return fillPlaceholders(MESSAGES[key], language, params);
}

/** `sentence` in `language` with its places filled from `params`. */
export function fillPlaceholders(sentence: Localised, language: Language, params: MessageParams): string {
  return sentence[language].replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = params[name] ?? place;
    return typeof value === 'object' ? value[language] : String(value);
  });
}

/** A text that `inLanguage` makes for each language. */
export function localise(inLanguage: (language: Language) => string): Localised {
  return { en: inLanguage('en'), es: inLanguage('es') };
}

const UNITS = [
  ['MB', 1024 * 1024],
  ['KB', 1024],
] as const;

/** A size for people, as file managers show it: `5 MB` for 5 MiB. */
export function sizeText(bytes: number): Localised {
  const [unit, unitBytes] = UNITS.find(([, least]) => bytes >= least) ?? ['bytes', 1];
  const number = Math.round((bytes / unitBytes) * 10) / 10;
  return localise((language) => `${language === 'es' ? String(number).replace('.', ',') : number} ${unit}`);
}
