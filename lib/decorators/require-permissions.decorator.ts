export { RequirePermissions } from '../guards/require-permissions.decorator.js';
