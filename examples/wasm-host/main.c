/* denoise MODEL IN.wav OUT.wav: the SDK's `attenuate denoise` for 16-bit WAV files at the model's own rate, with the same bits,
 * without JavaScript. In: a model file, noisy speech. Out: the same without noise, aligned with the input. */
#include "denoiser.h"
#include "wav.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int refuse(const char *path, const char *fault) {
  fprintf(stderr, "%s: %s\n", path, fault);
  return 1;
}

static uint8_t *read_file(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
  *count = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
  fclose(file);
  return bytes;
}

/* As sdk/pcm.ts: to the nearest step, halves upwards, clipped; what is no number is silence. */
static int16_t to_pcm(float sample) {
  double step = floor((double)sample * 32768 + 0.5);
  return (int16_t)(step >= 32768 ? 32767 : step < -32768 ? -32768 : step == step ? step : 0);
}

/* One channel from end to end: whole hops, zeros behind the last sample, then what look-ahead holds. */
static const char *denoise_channel(Denoiser *denoiser, unsigned channel, const Wav *in, Wav *out) {
  const ModelHeader *model = &denoiser->model;
  float *samples = malloc(((size_t)model->input_hop + model->output_hop) * sizeof *samples);
  if (samples == NULL) return "a hop longer than memory holds";
  float *result = samples + model->input_hop;
  uint32_t overlap_hops = (model->overlap_lag + model->output_hop - 1) / model->output_hop;
  uint32_t heard = (in->frames + model->input_hop - 1) / model->input_hop + overlap_hops;
  for (uint32_t hop = 0; hop < heard + model->lookahead_hops; hop++) {
    for (uint32_t i = 0; i < model->input_hop; i++) {
      uint64_t at = (uint64_t)hop * model->input_hop + i;
      samples[i] = at < in->frames ? in->samples[at * in->channels + channel] / 32768.0f : 0;
    }
    if (hop == heard) denoiser_end(denoiser, channel);
    denoiser_hop(denoiser, channel, samples, result);
    for (uint32_t i = 0; i < model->output_hop; i++) {
      int64_t at = (int64_t)hop * model->output_hop + i - denoiser_lag(denoiser);
      if (at >= 0 && at < out->frames) out->samples[at * out->channels + channel] = to_pcm(result[i]);
    }
  }
  free(samples);
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: %s MODEL.ssm IN.wav OUT.wav\n", arguments[0]);
    return 2;
  }
  size_t model_bytes = 0;
  uint8_t *bytes = read_file(arguments[1], &model_bytes);
  if (bytes == NULL) return refuse(arguments[1], "cannot be read");
  Wav in;
  const char *fault = wav_read(arguments[2], &in);
  if (fault == NULL && in.channels > MAX_CHANNELS) fault = "more channels than 8";
  if (fault) return refuse(arguments[2], fault);
  static Denoiser denoiser;
  fault = denoiser_open(&denoiser, bytes, model_bytes, in.channels);
  if (fault) return refuse(arguments[1], fault);
  free(bytes);

  const ModelHeader *model = &denoiser.model;
  if (in.rate != model->input_rate) {
    fprintf(stderr, "%s: %u Hz, the model hears %u Hz; resample it first\n", arguments[2], in.rate, model->input_rate);
    return 1;
  }
  Wav out = {.rate = model->output_rate, .channels = in.channels};
  out.frames = (uint32_t)(((uint64_t)in.frames * model->output_hop + model->input_hop - 1) / model->input_hop);
  out.samples = calloc((size_t)out.frames * out.channels + 1, sizeof *out.samples);
  if (out.samples == NULL) return refuse(arguments[3], "more samples than memory holds");
  for (unsigned channel = 0; channel < in.channels; channel++) {
    fault = denoise_channel(&denoiser, channel, &in, &out);
    if (fault) return refuse(arguments[1], fault);
  }
  fault = wav_write(arguments[3], &out);
  if (fault) return refuse(arguments[3], fault);
  fprintf(stderr, "%s: %u samples at %u Hz, %u ch; core memory %u bytes\n", arguments[3], out.frames, out.rate, out.channels,
          denoiser_bytes(&denoiser, in.channels));
  return 0;
}
