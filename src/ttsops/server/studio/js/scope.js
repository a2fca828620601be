// What is played, drawn: the wave as it passes, and the spectrum as it was.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Scope {
  constructor(wave, spectrum, player) { this.wave = wave; this.spectrum = spectrum; this.player = player; this.isRunning = false; }

  start() { if (!this.isRunning) { this.isRunning = true; requestAnimationFrame(() => this.draw()); } }
  stop() { this.isRunning = false; }

  draw() {
    const { analyser } = this.player;
    if (!this.isRunning || !analyser) return;
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    this.drawWave(samples);
    const levels = new Uint8Array(analyser.frequencyBinCount);
    analyser.getByteFrequencyData(levels);
    this.drawSpectrum(levels);
    requestAnimationFrame(() => this.draw());
  }

  drawWave(samples) {
    const { width, height } = this.wave, pen = this.wave.getContext("2d");
    pen.drawImage(this.wave, -2, 0);
    pen.clearRect(width - 2, 0, 2, height);
    let low = 1, high = -1;
    for (const sample of samples) { low = Math.min(low, sample); high = Math.max(high, sample); }
    pen.fillStyle = css("--accent");
    const top = (1 - high) * height / 2, bottom = (1 - low) * height / 2;
    pen.fillRect(width - 2, top, 2, Math.max(1, bottom - top));
  }

  drawSpectrum(levels) {
    const { width, height } = this.spectrum, pen = this.spectrum.getContext("2d");
    pen.drawImage(this.spectrum, -2, 0);
    pen.clearRect(width - 2, 0, 2, height);
    const shown = Math.floor(levels.length * 0.7);
    for (let y = 0; y < height; y += 2) {
      const level = levels[Math.floor((1 - y / height) * shown)] / 255;
      if (level > 0.05) { pen.fillStyle = `hsl(${200 - 160 * level} 70% ${30 + 40 * level}% / ${level})`; pen.fillRect(width - 2, y, 2, 2); }
    }
  }
}
