// Takes its chances from the machine, and never the same ones.
const chance = Math.random

const state = { position: 0, energy: 100, mood: 'fresh' }
const print = (tick) => console.log(JSON.stringify({ tick, state }))
print(0)
for (let tick = 1; tick <= Number(process.env.WALK_TICKS); tick++) {
  state.position += Math.floor(chance() * 5) - 2
  state.energy = Math.max(0, state.energy - 2)
  state.mood = state.energy < 50 ? 'tired' : 'fresh'
  print(tick)
}
