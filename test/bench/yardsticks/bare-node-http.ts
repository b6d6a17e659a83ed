/** Yardstick: node:http with the same 307 for every request. Listens on PORT. */
import { createServer } from 'node:http'

const server = createServer((_request, response) => {
  response
    .writeHead(307, {
      location: 'https://www.example.com/articles/1/how-it-began',
      'cache-control': 'private, no-store',
      'content-length': '0',
    })
    .end()
})
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('listening\n'))
