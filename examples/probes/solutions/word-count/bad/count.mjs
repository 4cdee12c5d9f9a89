// Right for the one text that was tried.
const [text = ''] = process.argv.slice(2)
console.log(`${text.split(' ').length} words`)
