// Lines that sound can come through. Names are the values of the page's radio buttons.

export type ChannelName = 'none' | 'phone' | 'sensor'

export const CHANNEL_PROCESSOR = 'simulated-line'

/** To the processor: which line; or a port that gets the sound after the line, a hop of 16 ms at a time. */
export type ChannelMessage = { readonly channel: ChannelName } | { readonly stopwatch: MessagePort }

export const HOP_SECONDS = 0.016
