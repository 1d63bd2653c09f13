/*
 * The least a Modbus client can do: read the same registers once a second with libmodbus and throw them away. The
 * yardstick for the polling benchmark.
 * usage: bare-client SECONDS FLOATS PORT...      prints: cpu_share cycles missed rss_kib
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define DEVICES_MAX 128
#define REGISTERS_PER_READ 124

/* Not ru_maxrss: that begins with the memory of whoever forked us. */
static long resident_kib(void) {
  char line[256];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmRSS: %ld", &kib);
  if (status) fclose(status);
  return kib;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int seconds = atoi(argv[1]), registers = atoi(argv[2]) * 2, devices = argc - 3;
  if (devices > DEVICES_MAX) return 2;
  modbus_t *context[DEVICES_MAX];
  for (int d = 0; d < devices; d++) {
    context[d] = modbus_new_tcp("127.0.0.1", atoi(argv[3 + d]));
    modbus_set_slave(context[d], 1);
    if (modbus_connect(context[d]) != 0) {
      fprintf(stderr, "port %s: %s\n", argv[3 + d], modbus_strerror(errno));
      return 1;
    }
  }
  uint16_t words[REGISTERS_PER_READ];
  volatile float sum = 0;
  long cycles = 0, missed = 0;
  double start = now();
  for (int second = 0; second < seconds; second++) {
    for (int d = 0; d < devices; d++) {
      for (int at = 0; at < registers; at += REGISTERS_PER_READ) {
        int count = registers - at < REGISTERS_PER_READ ? registers - at : REGISTERS_PER_READ;
        if (modbus_read_registers(context[d], at, count, words) != count) return 1;
        for (int i = 0; i < count; i += 2) sum += modbus_get_float_abcd(words + i);
      }
      cycles++;
    }
    double left = start + second + 1 - now();
    if (left < 0) {
      missed++;
    } else {
      struct timespec wait = {(time_t)left, (long)((left - (time_t)left) * 1e9)};
      nanosleep(&wait, NULL);
    }
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("%.5f %ld %ld %ld\n", cpu / (now() - start), cycles, missed, resident_kib());
  return 0;
}
