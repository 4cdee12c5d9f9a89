import { defineConfig } from 'vite'

// No preload helper and no inlined files: the policy of the server takes scripts and styles from files of its own alone.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  root: import.meta.dirname,
  build: { outDir: '../dist/console', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, cssCodeSplit: false, sourcemap: false, target: 'es2024' },
})
