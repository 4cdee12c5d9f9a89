export { CONFIGURATION_FILE, findConfiguration, loadConfiguration, type LoadedConfiguration } from './load-configuration.ts'
export { loadOverride, OVERRIDE_FILE } from './load-override.ts'
export { type LoadedTask, loadTask } from './load-task.ts'
export { readText, type TextReading } from './read-text.ts'
