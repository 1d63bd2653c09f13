/*
 * A Modbus device made by libmodbus: memory, framing and every byte order are its own, so that our driver is not only
 * compared with our own simulator. Without an argument it serves Modbus TCP, prints its port and takes one connection
 * after the other; with the name of a serial port it is unit 1 of that line and prints 0. It ends when it is killed.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#define COUNT 200

static void fill(modbus_mapping_t *map)
{
    uint16_t *holding = map->tab_registers;
    modbus_set_float_abcd(123.5f, holding + 0);
    modbus_set_float_badc(123.5f, holding + 2);
    modbus_set_float_cdab(123.5f, holding + 4);
    modbus_set_float_dcba(123.5f, holding + 6);
    /*
     * Up to 3.1.6 these setters order the bytes in the memory of a little-endian host, not on the wire, which swaps the
     * bytes of each register. 123.5 is 42 F7 00 00, so ABCD must begin with the register 42F7.
     */
    if (holding[0] != 0x42F7) {
        for (int at = 0; at < 8; at++) {
            holding[at] = (uint16_t) (holding[at] << 8 | holding[at] >> 8);
        }
    }
    int32_t wide = -123456;
    int64_t widest = -1234567890123456789LL;
    MODBUS_SET_INT32_TO_INT16(holding, 8, wide);
    MODBUS_SET_INT64_TO_INT16(holding, 10, widest);
    holding[14] = 0x8001;
    /* Two characters in a register, the first in its high byte. */
    holding[16] = ('M' << 8) | 'i';
    holding[17] = ('l' << 8) | 'l';
    holding[18] = 0;

    uint16_t *input = map->tab_input_registers;
    double pi = 3.141592653589793;
    int64_t bits;
    memcpy(&bits, &pi, sizeof bits);
    MODBUS_SET_INT64_TO_INT16(input, 0, bits);
    input[4] = 65535;

    uint8_t pattern = 0xa5;
    modbus_set_bits_from_byte(map->tab_bits, 0, pattern);
    modbus_set_bits_from_bytes(map->tab_input_bits, 8, 8, &pattern);
}

static void serve(modbus_t *context, modbus_mapping_t *map)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int received;
    while ((received = modbus_receive(context, query)) >= 0) {
        if (received > 0) {
            modbus_reply(context, query, received, map);
        }
    }
}

static int failed(void)
{
    fprintf(stderr, "%s\n", modbus_strerror(errno));
    return 1;
}

static int serve_serial(const char *path, modbus_mapping_t *map)
{
    modbus_t *context = modbus_new_rtu(path, 115200, 'N', 8, 1);
    if (context == NULL || modbus_set_slave(context, 1) < 0 || modbus_connect(context) < 0) {
        return failed();
    }
    printf("0\n");
    fflush(stdout);
    /* What is not for this unit, or disturbed, ends a receive and not the device. */
    for (;;) {
        serve(context, map);
    }
}

static int serve_tcp(modbus_mapping_t *map)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    if (context == NULL) {
        return failed();
    }
    int listener = modbus_tcp_listen(context, 1);
    if (listener < 0 || getsockname(listener, (struct sockaddr *) &own, &length) < 0) {
        return failed();
    }
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    while (modbus_tcp_accept(context, &listener) >= 0) {
        serve(context, map);
        modbus_close(context);
    }
    return 1;
}

int main(int count, char **arguments)
{
    modbus_mapping_t *map = modbus_mapping_new(COUNT, COUNT, COUNT, COUNT);
    if (map == NULL) {
        return failed();
    }
    fill(map);
    return count > 1 ? serve_serial(arguments[1], map) : serve_tcp(map);
}
