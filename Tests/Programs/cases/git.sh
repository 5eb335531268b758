# needs: git
if [ "${1-}" = --needs ]; then for n in git; do command -v "$n" || exit 1; done; exit 0; fi
d=$(mktemp -d); cd $d; export GIT_AUTHOR_DATE="2020-01-01T00:00:00Z" GIT_COMMITTER_DATE="2020-01-01T00:00:00Z"
git init -q . ; git config user.name n; git config user.email e@x; git config gc.auto 0
cp -r $PROGRAMS/../../../Sources . && git add . && git commit -qm one && git status --short | wc -l
echo x >> Sources/Kernel/README.md; git status --short; git commit -qam two; git log --format='%H %s' ; git gc -q; git fsck 2>&1; git diff HEAD~1 --stat; git count-objects; cd /; rm -r $d
