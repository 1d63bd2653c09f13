/*
 * The least an S7 client can do: read the same blocks once a second with Snap7's own client and throw them away. The
 * yardstick for the polling benchmark.
 * usage: s7-bare-client SECONDS BYTES PORT...
 * prints: cpu_share cycles missed rss_kib p50_ms p95_ms p99_ms max_ms      the last four: how old a block is when it is here
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>
#include <time.h>
#include <vector>
#include "snap7_libmain.h"

#define CPUS_MAX 64
static const int REMOTE_PORT = 2, PDU_REQUEST = 10;

/* Not ru_maxrss: that begins with the memory of whoever forked us. */
static long resident_kib(void) {
  char line[256];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmRSS: %ld", &kib);
  if (status) fclose(status);
  return kib;
}

static double seconds_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc - 3 > CPUS_MAX) return 2;
  const int seconds = atoi(argv[1]), bytes = atoi(argv[2]), cpus = argc - 3;
  S7Object client[CPUS_MAX];
  for (int cpu = 0; cpu < cpus; cpu++) {
    client[cpu] = Cli_Create();
    uint16_t port = (uint16_t)atoi(argv[3 + cpu]);
    int32_t pdu = 960;
    Cli_SetParam(client[cpu], REMOTE_PORT, &port);
    Cli_SetParam(client[cpu], PDU_REQUEST, &pdu);
    const int error = Cli_ConnectTo(client[cpu], "127.0.0.1", 0, 1);
    if (error != 0) {
      fprintf(stderr, "port %u: error %x\n", port, error);
      return 1;
    }
  }
  std::vector<uint8_t> block(bytes);
  std::vector<double> ages;
  volatile float sum = 0;
  long cycles = 0, missed = 0;
  const double start = seconds_of(CLOCK_MONOTONIC);
  for (int second = 0; second < seconds; second++) {
    for (int cpu = 0; cpu < cpus; cpu++) {
      if (Cli_DBRead(client[cpu], 1, 0, bytes, block.data()) != 0) return 1;
      int64_t made = 0;
      for (int i = 0; i < 8; i++) made = made << 8 | block[i];
      ages.push_back(seconds_of(CLOCK_REALTIME) * 1e3 - made / 1e3);
      for (int at = 8; at + 4 <= bytes; at += 4) {
        uint32_t word = (uint32_t)block[at] << 24 | block[at + 1] << 16 | block[at + 2] << 8 | block[at + 3];
        float value;
        memcpy(&value, &word, 4);
        sum = sum + value;
      }
      cycles++;
    }
    const double left = start + second + 1 - seconds_of(CLOCK_MONOTONIC);
    if (left < 0) {
      missed++;
    } else {
      struct timespec wait = {(time_t)left, (long)((left - (time_t)left) * 1e9)};
      nanosleep(&wait, NULL);
    }
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  const double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::sort(ages.begin(), ages.end());
  auto quantile = [&](double share) { return ages[std::min(ages.size() - 1, (size_t)(share * ages.size()))]; };
  printf("%.5f %ld %ld %ld %.3f %.3f %.3f %.3f\n", cpu / (seconds_of(CLOCK_MONOTONIC) - start), cycles, missed,
         resident_kib(), quantile(0.5), quantile(0.95), quantile(0.99), ages.back());
  return 0;
}
