// A person at the API, on a thread of his own: what a busy runner costs must not count as slowness of the hub.
declare const self: Worker;

export {};

const PAUSE_MS = 100;

self.onmessage = async ({ data }: MessageEvent<{ url: string; apiKey: string }>) => {
  for (;;) {
    const startedMs = performance.now();
    try {
      const response = await fetch(data.url, { headers: { authorization: `Bearer ${data.apiKey}` } });
      await response.arrayBuffer();
      if (response.ok) self.postMessage(performance.now() - startedMs);
    } catch {
      // Not up: that is no slowness.
    }
    await Bun.sleep(PAUSE_MS);
  }
};
