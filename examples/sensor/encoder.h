/* State and functions of the sensor's encoder (encoder.c). One SensorEncoder is one microphone. */
#ifndef SENSOR_ENCODER_H
#define SENSOR_ENCODER_H
#include <stdint.h>

enum { TAPS = 193, BLOCK = 64, PACKET_BYTES = 36 };

typedef struct {
  float history[TAPS]; /* the last samples at 16 kHz, newest first, -1..1 */
  float block[BLOCK];  /* the block being filled, at 4 kHz */
  int filled;
  uint16_t sequence; /* of the next packet; wraps */
} SensorEncoder;

/* Call once before the first sample. Doubles are used here only. */
void sensor_begin(SensorEncoder *e);

/* Takes four samples at 16 kHz; returns 1 when `packet` has been filled. */
int sensor_push(SensorEncoder *e, const int16_t pcm[4], uint8_t packet[PACKET_BYTES]);
#endif
