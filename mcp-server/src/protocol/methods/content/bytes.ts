/** Owns the binary types that authors may return, and their encoding (RFC 4648 §4). */

type Bytes = ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView;

export const isBytes = (value: unknown): value is Bytes =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;

export const base64 = (bytes: Bytes): string =>
  (ArrayBuffer.isView(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : Buffer.from(bytes as ArrayBuffer)
  ).toString('base64');
