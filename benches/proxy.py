"""A port of our own before the S3 server: as fast as it is told to be, and it counts what it is asked."""

import asyncio
import collections
import re
import sys
import threading
import time

import s3

CHUNK = 16 << 10
# Nobody asks before the last answer is there, so a request begins with a part that is read.
REQUEST = re.compile(rb"([A-Z]+) /\S* HTTP/1\.1\r\n")


class Proxy:
    """Takes the server's place for a pod."""

    def __init__(self, server, rate=None):
        """`rate`: bytes a second, both ways together."""
        self.server, self.rate, self.free_at = server, rate, 0.0
        self.requests = collections.Counter()
        self.address = f"127.0.0.1:{s3.free_port()}"
        listening = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(listening)), daemon=True).start()
        if not listening.wait(30):
            sys.exit("the proxy does not listen")

    async def serve(self, listening):
        host, port = self.address.split(":")
        async with await asyncio.start_server(self.passed_on, host, int(port), backlog=1024) as listener:
            listening.set()
            await listener.serve_forever()

    async def passed_on(self, reader, writer):
        host, port = self.server.address.split(":")
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(self.pump(reader, back, self.count), self.pump(there, writer), return_exceptions=True)

    def count(self, part):
        if asked := REQUEST.match(part):
            self.requests[asked.group(1).decode()] += 1

    async def pump(self, source, sink, heard=lambda part: None):
        try:
            while part := await source.read(CHUNK):
                heard(part)
                if self.rate:
                    now = time.monotonic()
                    self.free_at = max(self.free_at, now) + len(part) / self.rate
                    await asyncio.sleep(self.free_at - now)
                sink.write(part)
                await sink.drain()
        finally:
            sink.close()

    def file(self, key):
        return self.server.file(key)

    def clear(self):
        self.server.clear()
