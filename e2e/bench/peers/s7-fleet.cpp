/*
 * A fleet of S7 CPUs for the polling benchmark, served by Snap7: one port a CPU, one data block each. The block begins
 * with this machine's time in microseconds since 1970 (LINT, set every millisecond), so that who reads it knows how old
 * the answer is; behind it stand REALs, INTs and BOOLs that all change once a second, so that report-by-exception saves
 * the client nothing.
 * usage: s7-fleet REALS INTS BOOLS PORT...      prints "ready", then serves until it is killed
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <time.h>
#include <unistd.h>
#include "snap7_libmain.h"

#define CPUS_MAX 64
#define BLOCK_BYTES_MAX 60000
static const int PORT_PARAMETER = 1;
static const int AREA_DB = 5;

static uint8_t block[CPUS_MAX][BLOCK_BYTES_MAX];
static S7Object server[CPUS_MAX];

static void put(uint8_t *at, const void *value, int bytes) {
  for (int i = 0; i < bytes; i++) at[i] = ((const uint8_t *)value)[bytes - 1 - i];
}

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void move(uint8_t *db, int cpu, int reals, int ints, int bools, long second) {
  uint8_t *at = db + 8;
  for (int i = 0; i < reals; i++, at += 4) {
    const float value = 20.0f + cpu + i * 0.1f + (float)((second * 7 + i * 13) % 100) * 0.1f;
    put(at, &value, 4);
  }
  for (int i = 0; i < ints; i++, at += 2) {
    const int16_t value = (int16_t)(cpu * 100 + (second * 3 + i) % 1000);
    put(at, &value, 2);
  }
  memset(at, second % 2 ? 0x55 : 0xaa, (bools + 7) / 8);
}

int main(int argc, char **argv) {
  if (argc < 5 || argc - 4 > CPUS_MAX) return 2;
  const int reals = atoi(argv[1]), ints = atoi(argv[2]), bools = atoi(argv[3]), cpus = argc - 4;
  const int bytes = 8 + reals * 4 + ints * 2 + (bools + 7) / 8;
  if (bytes > BLOCK_BYTES_MAX) return 2;
  for (int cpu = 0; cpu < cpus; cpu++) {
    server[cpu] = Srv_Create();
    uint16_t port = (uint16_t)atoi(argv[4 + cpu]);
    Srv_SetParam(server[cpu], PORT_PARAMETER, &port);
    Srv_RegisterArea(server[cpu], AREA_DB, 1, block[cpu], bytes);
    if (Srv_StartTo(server[cpu], "127.0.0.1") != 0) return 1;
  }
  printf("ready\n");
  fflush(stdout);
  for (long moved = -1;; usleep(1000)) {
    const int64_t now = now_us();
    const long second = (long)(now / 1000000);
    for (int cpu = 0; cpu < cpus; cpu++) {
      Srv_LockArea(server[cpu], AREA_DB, 1);
      put(block[cpu], &now, 8);
      if (second != moved) move(block[cpu], cpu, reals, ints, bools, second);
      Srv_UnlockArea(server[cpu], AREA_DB, 1);
    }
    moved = second;
  }
}
