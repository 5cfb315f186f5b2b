/* WAV files of 16-bit PCM. In: a path. Out: its samples, channels interleaved; and the way back. NULL, or what went wrong. */
#ifndef WAV_H
#define WAV_H

#include <stdint.h>

typedef struct {
  uint32_t rate;
  uint16_t channels;
  uint32_t frames;
  int16_t *samples; /* (frames, channels), by malloc */
} Wav;

const char *wav_read(const char *path, Wav *wav);
const char *wav_write(const char *path, const Wav *wav);

#endif
