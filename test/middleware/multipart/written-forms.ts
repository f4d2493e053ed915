import { fixture } from '../../helpers/multipart.ts';

/** A form as a client sends it. */
export interface ClientForm {
  readonly client: string;
  readonly contentType: string;
  /** Whether its headers say that a browser sends it. */
  readonly isFromBrowser: boolean;
  readonly body: Buffer;
}

/** What is in every form: recorded by `scripts/record-forms.ts`, or written down here. */
export const NAME = 'Presupuesto niño (nº 3), l’été; «final» 50%.png';
export const FIELDS = { conversationId: 'exampleConversation1', contactId: 'exampleContact000001' } as const;
export const PICTURE = fixture('picture.png');

/** A client whose programs can't be run here, by what its sources write. */
interface Writing {
  /** Repository and file. */
  readonly source: string;
  readonly boundary: string;
  /** The content type, if it is not the usual one. */
  readonly contentType?: (boundary: string) => string;
  readonly fieldHeaders: (name: string, value: string) => readonly string[];
  readonly fileHeaders: readonly string[];
}

const quoted = (name: string, filename = ''): string =>
  `form-data; name="${name}"${filename === '' ? '' : `; filename="${filename}"`}`;
const FILE = 'fileAttachment';
const LENGTH = `Content-Length: ${PICTURE.length}`;
const encodedWord = `=?utf-8?B?${Buffer.from(NAME).toString('base64')}?=`;
/** RFC 8187: what `encodeURIComponent` leaves alone besides is encoded too. */
const extendedValue = encodeURIComponent(NAME).replace(
  /['()*]/g,
  (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
);

const WRITINGS: Readonly<Record<string, Writing>> = {
  'React Native 0.75, iOS': {
    source: 'facebook/react-native packages/react-native/Libraries/Network/FormData.js, RCTNetworking.mm',
    boundary: 'bH3kT.x_9-QmZ0aLwR7vYcEfJ2dNsGuP5oKiB8tXhV1rCqM4yWlDzFj6eUnA_.pS-gI3kO',
    fieldHeaders: (name) => [`content-disposition: ${quoted(name)}`],
    fileHeaders: [
      `content-disposition: ${quoted(FILE, NAME)}; filename*=utf-8''${encodeURI(NAME)}`,
      'content-type: image/png',
    ],
  },
  'React Native 0.76, iOS': {
    source: 'facebook/react-native packages/react-native/Libraries/Network/FormData.js, RCTNetworking.mm',
    boundary: 'cH3kT.x_9-QmZ0aLwR7vYcEfJ2dNsGuP5oKiB8tXhV1rCqM4yWlDzFj6eUnA_.pS-gI3kO',
    fieldHeaders: (name) => [`content-disposition: ${quoted(name)}`],
    fileHeaders: [
      `content-disposition: ${quoted(FILE, encodeURIComponent(NAME))}`,
      'content-type: image/png',
    ],
  },
  'React Native 0.76, Android': {
    source: 'facebook/react-native …/modules/network/NetworkingModule.kt on square/okhttp MultipartBody.kt',
    boundary: '0c2e7a51-6a3c-4f5e-9d30-8a1de5c4b7f2',
    fieldHeaders: (name) => [`content-disposition: ${quoted(name)}`],
    fileHeaders: [
      `content-disposition: ${quoted(FILE, encodeURIComponent(NAME))}`,
      'Content-Type: image/png',
      LENGTH,
    ],
  },
  'OkHttp 5': {
    source: 'square/okhttp okhttp/src/main/kotlin/okhttp3/MultipartBody.kt',
    boundary: '9f0b3c1e-2d64-4e0b-b2a1-77c0d2f1a9e3',
    fieldHeaders: (name) => [`Content-Disposition: ${quoted(name)}`],
    fileHeaders: [`Content-Disposition: ${quoted(FILE, NAME)}`, 'Content-Type: image/png'],
  },
  Retrofit: {
    source: 'square/retrofit …/RequestFactory.java: each part has Content-Transfer-Encoding: binary',
    boundary: '1f0b3c1e-2d64-4e0b-b2a1-77c0d2f1a9e3',
    fieldHeaders: (name, value) => [
      `Content-Disposition: ${quoted(name)}`,
      'Content-Transfer-Encoding: binary',
      'Content-Type: text/plain; charset=UTF-8',
      `Content-Length: ${value.length}`,
    ],
    fileHeaders: [`Content-Disposition: ${quoted(FILE, NAME)}`, 'Content-Type: image/png', LENGTH],
  },
  '.NET HttpClient': {
    source:
      'dotnet/runtime src/libraries/System.Net.Http/src/System/Net/Http/MultipartFormDataContent.cs, Headers/ContentDispositionHeaderValue.cs',
    boundary: '5b0e2f0c-7d3c-4b62-8f0a-1f6d2c9e4a37',
    contentType: (boundary) => `multipart/form-data; boundary="${boundary}"`,
    fieldHeaders: (name) => [
      'Content-Type: text/plain; charset=utf-8',
      `Content-Disposition: form-data; name=${name}`,
    ],
    fileHeaders: [
      'Content-Type: image/png',
      `Content-Disposition: form-data; name=${FILE}; filename="${encodedWord}"; filename*=utf-8''${extendedValue}`,
    ],
  },
  'Java HttpClient with Methanol': {
    source:
      'mizosoft/methanol methanol/src/main/java/com/github/mizosoft/methanol/MultipartBodyPublisher.java',
    boundary: '6f1c2a34-9d0e-4b57-8a1f-0c3d5e7f9a2b',
    fieldHeaders: (name) => [`Content-Disposition: ${quoted(name)}`],
    fileHeaders: [`Content-Disposition: ${quoted(FILE, NAME)}`, 'Content-Type: image/png'],
  },
  'Spring RestTemplate': {
    source:
      'spring-projects/spring-framework spring-web/src/main/java/org/springframework/http/converter/FormHttpMessageConverter.java',
    boundary: 'Fr0mSpr1ng-_boundaryOfThirtyFiveCh',
    contentType: (boundary) => `multipart/form-data;charset=UTF-8;boundary=${boundary}`,
    fieldHeaders: (name, value) => [
      `Content-Disposition: ${quoted(name)}`,
      'Content-Type: text/plain;charset=UTF-8',
      `Content-Length: ${value.length}`,
    ],
    fileHeaders: [`Content-Disposition: ${quoted(FILE, NAME)}`, 'Content-Type: image/png', LENGTH],
  },
  'Dart http': {
    source: 'dart-lang/http pkgs/http/lib/src/multipart_request.dart, boundary_characters.dart',
    boundary: 'dart-http-boundary-+_.aB3cD4eF5gH6iJ7kL8mN9oP0qR1sT2uV3wX4yZ5+_.-xQ9w7',
    fieldHeaders: (name) => [`content-disposition: ${quoted(name)}`],
    fileHeaders: ['content-type: image/png', `content-disposition: ${quoted(FILE, NAME)}`],
  },
  'Dart dio': {
    source: 'cfug/dio dio/lib/src/form_data.dart',
    boundary: '--dio-boundary-0123456789',
    fieldHeaders: (name) => [`content-disposition: ${quoted(name)}`],
    fileHeaders: [`content-disposition: ${quoted(FILE, NAME)}`, 'content-type: image/png'],
  },
  Alamofire: {
    source: 'Alamofire/Alamofire Source/Features/MultipartFormData.swift',
    boundary: 'alamofire.boundary.0123abcd89ef4567',
    fieldHeaders: (name) => [`Content-Disposition: ${quoted(name)}`],
    fileHeaders: [`Content-Disposition: ${quoted(FILE, NAME)}`, 'Content-Type: image/png'],
  },
};

/** The forms of clients that can't be recorded. */
export const WRITTEN_FORMS: readonly ClientForm[] = Object.entries(WRITINGS).map(
  ([client, { boundary, contentType, fieldHeaders, fileHeaders }]) => {
    const part = (headers: readonly string[], content: string | Buffer): Buffer[] => [
      Buffer.from(`--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ];
    const fields = Object.entries(FIELDS).flatMap(([name, value]) => part(fieldHeaders(name, value), value));
    return {
      client,
      contentType: contentType?.(boundary) ?? `multipart/form-data; boundary=${boundary}`,
      isFromBrowser: false,
      body: Buffer.concat([...fields, ...part(fileHeaders, PICTURE), Buffer.from(`--${boundary}--\r\n`)]),
    };
  },
);
