/** True in the project whose SDKs and line clients speak Protobuf. */
export const IS_PROTOBUF = process.env['SDK_FORM'] === 'protobuf';
