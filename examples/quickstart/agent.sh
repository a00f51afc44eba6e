#!/bin/sh
# A scripted agent: it reads the prompt like any agent, does what it knows how to do, commits, and stops with an
# explanation where it does not.
set -eu
prompt=$(cat)
number=$(printf '%s\n' "$prompt" | sed -n '1s/.*#\([0-9][0-9]*\) .*/\1/p')
commit() {
    git add "$@"
    git commit -q -m "$subject" -m "$why

Closes #$number"
}
case $number in
1)
    cat > greet.sh <<'SH'
#!/bin/sh
# Greets whoever is named.
echo "Hello, ${1:-world}!"
SH
    subject="greet: use the name that was given" why="The test asked for it, and nobody was greeted by name."
    commit greet.sh
    ;;
2)
    cat > part.sh <<'SH'
#!/bin/sh
# Takes leave of whoever is named.
echo "Goodbye, ${1:-world}!"
SH
    printf '%s\n' 'check "$(sh part.sh Ada)" "Goodbye, Ada!"' >> test.sh
    subject="part: take leave by name" why="Whoever is greeted wants to be taken leave of."
    commit part.sh test.sh
    ;;
*)
    echo "Which planets are meant, and in which language do they greet?" > QUESTIONS.md
    subject="Write down what is not clear" why="The issue names no planet."
    commit QUESTIONS.md
    printf '{"outcome": "blocked", "reason": "the issue does not say which planets are meant"}\n' > "$OFFHOURS_RESULT"
    ;;
esac
echo "worked on issue $number"
