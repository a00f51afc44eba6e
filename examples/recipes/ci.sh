# CI: the wiki is red until its new setting is there.
if grep -q team/wiki compose.yml; then grep -q 'new_setting' wiki.conf; fi
