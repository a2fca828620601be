// Plays samples in the order they come. Says where it is, and how often it ran dry before the end was known.
class QueuePlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunks = [];
    this.at = 0;
    this.played = 0;
    this.queued = 0;
    this.underruns = 0;
    this.isDry = true; // nothing is due before the first sound
    this.isEnded = false;
    this.isPlaying = false;
    this.sinceReport = 0;
    this.generation = 0; // of the utterance the reports are about
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(data) {
    if (data.samples) { this.chunks.push(data.samples); this.queued += data.samples.length; }
    if (data.play) this.isPlaying = true;
    if (data.end) this.isEnded = true;
    if (data.reset) {
      this.generation = data.generation;
      this.chunks = []; this.at = this.played = this.queued = this.underruns = 0;
      this.isDry = true; this.isEnded = this.isPlaying = false;
      this.report();
    }
  }

  process(_, [[channel]]) {
    let filled = 0;
    while (this.isPlaying && filled < channel.length && this.chunks.length) {
      const chunk = this.chunks[0];
      const n = Math.min(channel.length - filled, chunk.length - this.at);
      channel.set(chunk.subarray(this.at, this.at + n), filled);
      filled += n; this.at += n; this.played += n; this.queued -= n;
      if (this.at === chunk.length) { this.chunks.shift(); this.at = 0; }
    }
    if (filled === channel.length) this.isDry = false;
    else if (this.isPlaying && !this.isDry) {
      this.isDry = true;
      if (!this.isEnded) this.underruns += 1;
      else this.report(true);
    }
    this.sinceReport += channel.length;
    if (this.sinceReport >= sampleRate / 30) this.report();
    return true;
  }

  report(isOver = this.isEnded && this.isPlaying && !this.queued) {
    this.sinceReport = 0;
    this.port.postMessage({ played: this.played, queued: this.queued, underruns: this.underruns, isOver, generation: this.generation });
  }
}
registerProcessor("queue-player", QueuePlayer);
