/* A microphone on standard input (int16, 16 kHz, host byte order), packets on standard output:
 *   cc -std=c99 -O2 -o sensor main.c encoder.c -lm && arecord -t raw -f S16_LE -r 16000 | ./sensor | ... */
#include "encoder.h"
#include <stdio.h>

int main(void) {
  static SensorEncoder encoder;
  int16_t pcm[4];
  uint8_t packet[PACKET_BYTES];
  sensor_begin(&encoder);
  setvbuf(stdout, NULL, _IONBF, 0); /* a pipe would wait for 113 packets: 1.8 s */
  while (fread(pcm, sizeof *pcm, 4, stdin) == 4)
    if (sensor_push(&encoder, pcm, packet) && fwrite(packet, 1, PACKET_BYTES, stdout) != PACKET_BYTES) return 1;
  return 0;
}
