import { defineConfig, type Plugin } from 'vite'

/** Names the packages that are in the bundle, so that the build can put their licences beside it. */
const packagesNamed: Plugin = {
  name: 'packages-named',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : part.originalFileNames))
    // Styles are no modules of a chunk; the terminal brings some.
    const packages = [...modules, ...this.getModuleIds()].flatMap((id) => /(?:^|\/)(node_modules\/(?:@[^/]+\/)?[^/\0?]+)\//.exec(id)?.[1] ?? [])
    this.emitFile({ type: 'asset', fileName: 'packages.json', source: JSON.stringify([...new Set(packages)].toSorted()) })
  },
}

// No preload helper and no inlined files: the policy of the server takes scripts and styles from files of its own alone.
// oxlint-disable-next-line import/no-default-export
export default defineConfig({
  root: import.meta.dirname,
  plugins: [packagesNamed],
  build: { outDir: '../dist/console', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, cssCodeSplit: false, sourcemap: false, target: 'es2024' },
})
