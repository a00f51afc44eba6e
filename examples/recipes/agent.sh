# Stands in for an agent: reads the request, adds the setting, and answers.
cat > /dev/null
request="$(dirname "$OFFHOURS_RESULT")/request.json"
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$request"; }
echo 'new_setting = true' > wiki.conf
printf '{"schema": 1, "attempt": %s, "head": "%s", "outcome": "repaired", "summary": "the new setting"}' \
    "$(field attempt)" "$(field head)" > "$OFFHOURS_RESULT"
