/*
 * A CPU made by Snap7: memory, telegrams and refusals are its own, so that our driver is not only compared with our own
 * simulator. Serves until it is killed.
 * usage: snap7-plc PORT [ADDRESS]      reads lines from its input, answers each with one line:
 *   get DB OFFSET COUNT      the bytes in hex
 *   size DB BYTES            the block has another length from now on, as after a download
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "snap7_libmain.h"

static const int PORT_PARAMETER = 1;
static const int AREA_INPUT = 0, AREA_OUTPUT = 1, AREA_MARKER = 2, AREA_COUNTER = 3, AREA_TIMER = 4, AREA_DB = 5;

static uint8_t block[2][70000], input[64], output[64], marker[1024], counter[64], timer[64];

static void put(uint8_t *at, const void *value, int bytes) {
  for (int i = 0; i < bytes; i++) at[i] = ((const uint8_t *) value)[bytes - 1 - i];
}

static void fill(uint8_t *db) {
  const uint16_t word = 0x8001;
  const int32_t wide = -123456;
  const int64_t widest = -1234567890123456789LL;
  const float real = 123.5f;
  const double lreal = 3.141592653589793;
  put(db + 0, &word, 2);
  put(db + 4, &wide, 4);
  put(db + 8, &widest, 8);
  put(db + 16, &real, 4);
  put(db + 20, &lreal, 8);
  memcpy(db + 30, "\x0a\x04Mill", 6);
  memcpy(db + 42, "\x00\x08\x00\x02\x03\xa9\x20\xac", 8);
  memcpy(db + 62, "\x07\xea\x0b\x1a\x05\x0d\x05\x00\x0e\xe6\xb2\x80", 12);
  memcpy(db + 74, "\x21\x27", 2);
  memcpy(db + 76, "\x26\x11\x26\x13\x05\x00\x25\x05", 8);
  memcpy(db + 84, "Pad\0\0\0", 6);
  for (int i = 0; i < 100; i++) {
    const float element = i * 1.5f;
    put(db + 100 + i * 4, &element, 4);
  }
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  S7Object server = Srv_Create();
  uint16_t port = (uint16_t) atoi(argv[1]);
  Srv_SetParam(server, PORT_PARAMETER, &port);
  fill(block[0]);
  input[0] = 0x01;
  output[1] = 0x02;
  marker[10] = 0x04;
  memcpy(timer, "\x21\x27", 2);
  memcpy(counter, "\x00\x42", 2);
  Srv_RegisterArea(server, AREA_DB, 1, block[0], 512);
  Srv_RegisterArea(server, AREA_DB, 2, block[1], 65000);
  Srv_RegisterArea(server, AREA_INPUT, 0, input, sizeof input);
  Srv_RegisterArea(server, AREA_OUTPUT, 0, output, sizeof output);
  Srv_RegisterArea(server, AREA_MARKER, 0, marker, sizeof marker);
  Srv_RegisterArea(server, AREA_COUNTER, 0, counter, sizeof counter);
  Srv_RegisterArea(server, AREA_TIMER, 0, timer, sizeof timer);
  if (Srv_StartTo(server, argc > 2 ? argv[2] : "127.0.0.1") != 0) return 1;
  printf("ready\n");
  fflush(stdout);
  char line[128];
  int db, offset, count;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "get %d %d %d", &db, &offset, &count) == 3) {
      for (int i = 0; i < count; i++) printf("%02x", block[db - 1][offset + i]);
      printf("\n");
    } else if (sscanf(line, "size %d %d", &db, &count) == 2) {
      Srv_UnregisterArea(server, AREA_DB, (word) db);
      Srv_RegisterArea(server, AREA_DB, (word) db, block[db - 1], count);
      printf("done\n");
    }
    fflush(stdout);
  }
  return 0;
}
