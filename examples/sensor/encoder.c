/* The sensor's side of the 4 kHz / 4-bit codec (sdk/sensor/packet.ts, training/codec.py). In: int16 at 16 kHz, four at a
 * time. Out: a packet of 36 bytes for every 256 of them. C99, single precision, 1.1 KB of RAM, 193 products per 4 samples. */
#include "encoder.h"
#include <math.h>
#include <string.h>

static const float MU = 3.0f;
static float low_pass[TAPS]; /* sinc under a Kaiser window, newest sample first: 1.7 kHz flat, 58 dB down at 2 kHz */

static double bessel0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; k < 40; k++) sum += term *= x * x / (4.0 * k * k);
  return sum;
}

void sensor_begin(SensorEncoder *e) {
  const double middle = (TAPS - 1) / 2, cutoff = 2 * acos(-1) * 1850 / 16000;
  double taps[TAPS], sum = 0;
  for (int k = 0; k < TAPS; k++) {
    const double t = k - middle;
    taps[k] = (t == 0 ? cutoff : sin(cutoff * t) / t) * bessel0(5.65 * sqrt(1 - t * t / (middle * middle)));
    sum += taps[k];
  }
  for (int k = 0; k < TAPS; k++) low_pass[k] = (float)(taps[k] / sum);
  memset(e, 0, sizeof *e);
}

static int nibble(float u) {
  const float c = log1pf(MU * fminf(fabsf(u), 1)) / log1pf(MU);
  const int q = (int)floorf(8 * (1 + (u < 0 ? -c : c)));
  return q > 15 ? 15 : q;
}

static void pack(SensorEncoder *e, uint8_t packet[PACKET_BYTES]) {
  float peak = 1e-9f;
  for (int i = 0; i < BLOCK; i++) peak = fmaxf(peak, fabsf(e->block[i]));
  const float gain = fminf(fmaxf(floorf(-8 * log2f(peak)), 0), 127), scale = exp2f(gain / 8);
  packet[0] = 0x10; /* version 1, mu-law, low nibble first */
  packet[1] = (uint8_t)gain;
  packet[2] = (uint8_t)e->sequence;
  packet[3] = (uint8_t)(e->sequence++ >> 8);
  for (int i = 0; i < BLOCK; i += 2)
    packet[4 + i / 2] = (uint8_t)(nibble(e->block[i] * scale) | nibble(e->block[i + 1] * scale) << 4);
}

int sensor_push(SensorEncoder *e, const int16_t pcm[4], uint8_t packet[PACKET_BYTES]) {
  for (int i = 0; i < 4; i++) {
    memmove(e->history + 1, e->history, sizeof e->history - sizeof *e->history);
    e->history[0] = pcm[i] / 32768.0f;
    if (i > 0) continue; /* the other three are only heard through the filter */
    float sum = 0;
    for (int k = 0; k < TAPS; k++) sum += low_pass[k] * e->history[k];
    e->block[e->filled++] = sum;
  }
  if (e->filled < BLOCK) return 0;
  e->filled = 0;
  pack(e, packet);
  return 1;
}
