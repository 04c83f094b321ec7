export { RequireRoles } from '../guards/require-roles.decorator.js';
