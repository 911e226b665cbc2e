// The peer in Node.js: products in memory, request bodies checked and answers written by the
// schemas (Fastify compiles both), no logging. Listens on the Unix socket given as argument.
import Fastify from 'fastify'
import { randomUUID } from 'node:crypto'

const socket = process.argv[2]

const fields = {
  name: { type: 'string', minLength: 1, maxLength: 200 },
  description: { type: 'string', maxLength: 5000, default: '' },
  price: { type: 'number', minimum: 0, maximum: 9999999.99 },
  inventory: { type: 'integer', minimum: 0, default: 0 },
  sku: { type: 'string', minLength: 1, maxLength: 64 },
  category: { type: 'string', maxLength: 100 },
  tags: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 50 }, default: [] }
}

const product = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    ...fields,
    currency: { type: 'string' },
    reserved: { type: 'integer' },
    version: { type: 'integer' },
    created_at: { type: 'string' },
    updated_at: { type: 'string' }
  }
}

const createSchema = {
  body: {
    type: 'object',
    required: ['name', 'price'],
    additionalProperties: false,
    properties: fields
  },
  response: { 201: product }
}

const getSchema = {
  params: { type: 'object', properties: { id: { type: 'string' } } },
  response: { 200: product }
}

const products = new Map()
const skus = new Set()

const app = Fastify({
  logger: false,
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false } }
})

app.get('/products/:id', { schema: getSchema }, (request, reply) => {
  const found = products.get(request.params.id)
  if (found === undefined) {
    return reply.code(404).send({ title: 'Not Found', status: 404, detail: 'Product not found' })
  }
  return reply.send(found)
})

app.post('/products', { schema: createSchema }, (request, reply) => {
  const { sku } = request.body
  if (sku !== undefined) {
    if (skus.has(sku)) {
      return reply.code(409).send({ title: 'Conflict', status: 409, detail: 'SKU already in use' })
    }
    skus.add(sku)
  }
  const now = new Date().toISOString()
  const made = {
    id: randomUUID(),
    ...request.body,
    currency: 'USD',
    reserved: 0,
    version: 1,
    created_at: now,
    updated_at: now
  }
  products.set(made.id, made)
  return reply.code(201).header('location', `/products/${made.id}`).send(made)
})

app.listen({ path: socket, backlog: 4096 })
