import { readFile } from 'node:fs/promises'
import type { ServerProcess } from '../server-process.ts'

/** What a server process started with `--inspect` uses, once everything that is garbage has been collected. */
export class ServerInspector {
  readonly #socket: WebSocket
  readonly #pid: number
  readonly #waiting = new Map<number, (result: Record<string, number>) => void>()
  #asked = 0

  private constructor(socket: WebSocket, pid: number) {
    this.#socket = socket
    this.#pid = pid
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id: number; result: Record<string, number> }
      this.#waiting.get(id)?.(result)
      this.#waiting.delete(id)
    })
  }

  static async open(server: ServerProcess): Promise<ServerInspector> {
    const address = /ws:\/\/\S+/.exec(server.stderr)?.[0]
    if (address === undefined) throw new Error('the server was not started with --inspect')
    const socket = new WebSocket(address)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true })
      socket.addEventListener('error', reject, { once: true })
    })
    return new ServerInspector(socket, server.process.pid!)
  }

  async heapMegabytes(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage')
    const {
      usedSize = 0,
      embedderHeapUsedSize = 0,
      backingStorageSize = 0,
    } = await this.#ask('Runtime.getHeapUsage')
    return (usedSize + embedderHeapUsedSize + backingStorageSize) / 1024 / 1024
  }

  async peakMegabytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  }

  close(): void {
    this.#socket.close()
  }

  #ask(method: string): Promise<Record<string, number>> {
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method }))
    })
  }
}
