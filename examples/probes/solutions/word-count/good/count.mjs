const [text = ''] = process.argv.slice(2)
console.log(text === '--help' ? 'Usage: count <text>' : `${text.split(/\s+/).filter((word) => word !== '').length} words`)
