# What the scripted agent runs to deliver: a commit in each of two repositories, and its claim. Run twice it delivers once:
# what is there already is not committed again.
set -e
root=$(cd ../../../.. && pwd)
export GIT_AUTHOR_NAME=pi GIT_AUTHOR_EMAIL=pi@localhost GIT_COMMITTER_NAME=pi GIT_COMMITTER_EMAIL=pi@localhost GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_DATE='2026-06-01T00:00:00Z' GIT_COMMITTER_DATE='2026-06-01T00:00:00Z'
work=$(mktemp -d)
deliver() {
  git clone --quiet --branch master "$root/$1.git" "$work/$1"
  cp "$2" "$work/$1/$3"
  cd "$work/$1"
  git add --all
  git diff --cached --quiet || git commit --quiet --message 'slugify'
  git push --quiet origin master
  git rev-parse HEAD
}
echo 'slugify has landed.' > "$work/note.md"
app=$(deliver app "$PWD/src/slugify.js" slugify.js)
console=$(deliver console "$work/note.md" note.md)
echo "{\"app\":{\"sha\":\"$app\",\"files\":[\"slugify.js\"]},\"console\":{\"sha\":\"$console\",\"files\":[\"note.md\"]}}" > done.json
rm -rf "$work"
echo delivered
