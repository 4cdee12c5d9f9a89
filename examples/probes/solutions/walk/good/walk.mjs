let seed = Number(process.env.WALK_SEED)
// A generator of its own: the same seed gives the same walk on every machine.
const chance = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31

const state = { position: 0, energy: 100, mood: 'fresh' }
const print = (tick) => console.log(JSON.stringify({ tick, state }))
print(0)
for (let tick = 1; tick <= Number(process.env.WALK_TICKS); tick++) {
  state.position += Math.floor(chance() * 5) - 2
  state.energy = Math.max(0, state.energy - 2)
  state.mood = state.energy < 50 ? 'tired' : 'fresh'
  print(tick)
}
