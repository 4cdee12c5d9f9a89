export { createTargetWatcher, type TargetWatcherOptions } from './target-watch.ts'
