/*
 * A fleet of Modbus TCP devices for the polling benchmark, served by libmodbus: one port a device, float registers
 * that all change once a second, so that report-by-exception saves the client nothing.
 * usage: modbus-fleet DEVICES FLOATS      prints the ports, one line, then serves until it is killed
 */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 128
/* Registers behind the floats that nothing here moves: what is written stays. */
#define SETPOINTS 16

static modbus_t *context[DEVICES_MAX];
static modbus_mapping_t *mapping[DEVICES_MAX];
static int listener[DEVICES_MAX];
static int client[DEVICES_MAX];

static void move(int devices, int floats, long second) {
  for (int d = 0; d < devices; d++)
    for (int f = 0; f < floats; f++)
      modbus_set_float_abcd(20.0f + d + f * 0.1f + (float)((second * 7 + f * 13) % 100) * 0.1f,
                            mapping[d]->tab_registers + f * 2);
}

static int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return -1;
  return ntohs(address.sin_port);
}

static void serve(int d) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  modbus_set_socket(context[d], client[d]);
  int length = modbus_receive(context[d], query);
  if (length > 0) {
    modbus_reply(context[d], query, length, mapping[d]);
  } else if (length < 0) {
    close(client[d]);
    client[d] = -1;
  }
}

int main(int argc, char **argv) {
  int devices = argc > 1 ? atoi(argv[1]) : 20, floats = argc > 2 ? atoi(argv[2]) : 500;
  if (devices < 1 || devices > DEVICES_MAX || floats < 1 || floats > 5000) {
    fprintf(stderr, "usage: modbus-fleet DEVICES(1..%d) FLOATS(1..5000)\n", DEVICES_MAX);
    return 2;
  }
  for (int d = 0; d < devices; d++) {
    int free_port = socket(AF_INET, SOCK_STREAM, 0), reuse = 1;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(free_port, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    if (free_port < 0 || bind(free_port, (struct sockaddr *)&any, sizeof any) != 0) return 1;
    int port = port_of(free_port);
    close(free_port);
    context[d] = modbus_new_tcp("127.0.0.1", port);
    mapping[d] = modbus_mapping_new(0, 0, floats * 2 + SETPOINTS, 0);
    listener[d] = modbus_tcp_listen(context[d], 2);
    client[d] = -1;
    if (!mapping[d] || listener[d] < 0) {
      fprintf(stderr, "port %d: %s\n", port, modbus_strerror(errno));
      return 1;
    }
    printf("%d%c", port, d + 1 < devices ? ' ' : '\n');
  }
  fflush(stdout);
  for (long moved = -1;;) {
    long second = time(NULL);
    if (second != moved) move(devices, floats, moved = second);
    fd_set ready;
    FD_ZERO(&ready);
    int highest = 0;
    for (int d = 0; d < devices; d++) {
      FD_SET(listener[d], &ready);
      if (client[d] >= 0) FD_SET(client[d], &ready);
      highest = listener[d] > highest ? listener[d] : highest;
      highest = client[d] > highest ? client[d] : highest;
    }
    struct timeval wait = {0, 200000};
    if (select(highest + 1, &ready, NULL, NULL, &wait) <= 0) continue;
    for (int d = 0; d < devices; d++) {
      if (FD_ISSET(listener[d], &ready)) {
        if (client[d] >= 0) close(client[d]);
        client[d] = accept(listener[d], NULL, NULL);
      } else if (client[d] >= 0 && FD_ISSET(client[d], &ready)) {
        serve(d);
      }
    }
  }
}
