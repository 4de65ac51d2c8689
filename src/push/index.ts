export { HttpPush, type HttpPushOptions } from './http-push';
