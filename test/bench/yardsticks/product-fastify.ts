/** The product's own Fastify, so that a yardstick can't use a different version. */
export { default as Fastify } from '../../../apps/api/node_modules/fastify/fastify.js'
