/** The very Fastify that the product runs, so that a yardstick can never have another version of it. */
export { default as Fastify } from '../../../apps/api/node_modules/fastify/fastify.js'
