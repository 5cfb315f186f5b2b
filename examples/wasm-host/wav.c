/* RIFF WAVE: chunks of an id, a size and so many bytes, padded to even; only `fmt ` and `data` matter here. */
#include "wav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCM 1
#define EXTENSIBLE 0xfffe

static uint32_t u32(const uint8_t *at) { return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24; }
static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

/* To the next chunk; not where `long` has 32 bits and would lead backwards. */
static const char *skip(FILE *file, uint32_t size) {
  return size >= INT32_MAX || fseek(file, (long)(size + (size & 1)), SEEK_CUR) ? "a WAV file cut short" : NULL;
}

/* From here to the end of the file. */
static uint64_t remaining(FILE *file) {
  long here = ftell(file);
  fseek(file, 0, SEEK_END);
  long end = ftell(file);
  fseek(file, here, SEEK_SET);
  return (uint64_t)(end - here);
}

static const char *read_format(FILE *file, uint32_t size, Wav *wav) {
  uint8_t fmt[16];
  if (size < 16 || fread(fmt, 1, 16, file) != 16) return "a WAV file cut short";
  if ((u16(fmt) != PCM && u16(fmt) != EXTENSIBLE) || u16(fmt + 14) != 16) return "not 16-bit PCM";
  wav->channels = u16(fmt + 2);
  wav->rate = u32(fmt + 4);
  return skip(file, size - 16);
}

static const char *read_samples(FILE *file, uint32_t size, Wav *wav) {
  if (wav->channels == 0) return "a WAV file without a format";
  /* a header that was written before its length was known says 4 GB */
  if (size > remaining(file)) size = (uint32_t)remaining(file);
  wav->samples = malloc(size > 0 ? size : 1);
  if (wav->samples == NULL) return "more samples than memory holds";
  size_t bytes = fread(wav->samples, 1, size, file);
  wav->frames = (uint32_t)(bytes / 2 / wav->channels);
  return NULL;
}

static const char *read_chunks(FILE *file, Wav *wav) {
  uint8_t head[12];
  if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4)) return "not a WAV file";
  while (fread(head, 1, 8, file) == 8) {
    uint32_t size = u32(head + 4);
    if (memcmp(head, "data", 4) == 0) return read_samples(file, size, wav);
    const char *fault = memcmp(head, "fmt ", 4) == 0 ? read_format(file, size, wav) : skip(file, size);
    if (fault) return fault;
  }
  return "a WAV file without samples";
}

const char *wav_read(const char *path, Wav *wav) {
  *wav = (Wav){0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) return "cannot be read";
  const char *fault = read_chunks(file, wav);
  fclose(file);
  return fault;
}

static void put(uint8_t *at, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

const char *wav_write(const char *path, const Wav *wav) {
  uint32_t frame_bytes = 2u * wav->channels, data_bytes = wav->frames * frame_bytes;
  uint8_t head[44] = "RIFF....WAVEfmt ";
  put(head + 4, 36 + data_bytes, 4);
  put(head + 16, 16, 4);
  put(head + 20, PCM, 2);
  put(head + 22, wav->channels, 2);
  put(head + 24, wav->rate, 4);
  put(head + 28, wav->rate * frame_bytes, 4);
  put(head + 32, frame_bytes, 2);
  put(head + 34, 16, 2);
  memcpy(head + 36, "data", 4);
  put(head + 40, data_bytes, 4);
  FILE *file = fopen(path, "wb");
  if (file == NULL) return "cannot be written";
  int is_whole = fwrite(head, 1, 44, file) == 44 && fwrite(wav->samples, 1, data_bytes, file) == data_bytes;
  return fclose(file) == 0 && is_whole ? NULL : "cannot be written whole";
}
