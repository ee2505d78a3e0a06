import { Agent, request } from 'node:http'

export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** The whole address. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Requests under way at a time. */
const LANES = 8

const agent = new Agent({ keepAlive: true, maxSockets: LANES })

/** Sends one request and answers the text of its answer. @throws if the answer is not 2xx */
export function exchange({ method, url, headers, body }: LoadRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        if (Math.floor(response.statusCode! / 100) === 2) resolve(text)
        else reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sends all requests, eight under way at a time. Answers how long one took, in microseconds of the whole run. */
export async function microsEach(requests: readonly LoadRequest[]): Promise<number> {
  return await microsOf(requests.length, (index) => exchange(requests[index]!))
}

/**
 * Does `count` pieces of work, so many under way at a time. Answers how long one took, in microseconds of the whole run.
 *
 * @param lanes eight at most
 */
export async function microsOf(
  count: number,
  work: (index: number) => Promise<unknown>,
  lanes: number = LANES,
): Promise<number> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  return ((performance.now() - start) * 1000) / count
}
