# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_offhours_global_optspecs
    string join \n config= state= dry-run json exit-code wait= v/verbose q/quiet deadline= color= h/help V/version
end

function __fish_offhours_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_offhours_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_offhours_using_subcommand
    set -l cmd (__fish_offhours_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c offhours -n "__fish_offhours_needs_command" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_needs_command" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_needs_command" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_needs_command" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_needs_command" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_needs_command" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_needs_command" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_needs_command" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_needs_command" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_needs_command" -s V -l version -d 'Print version'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "poll" -d 'Read ready issues, choose what may start, claim it and dispatch it'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "watch" -d 'Look at each run in flight and take its next step'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "harvest" -d 'Score what became of runs, and decide about versions that are tried out'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "lessons" -d 'Write down what went wrong, or look at what was'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "tick" -d 'Do what watch, harvest, lessons and poll do, in one process'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "init" -d 'Write a first configuration: short, commented, switched off'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "upgrade" -d 'Bring recipes up to date, with CI\'s verdict as the gate; alone: advance the batch by as much as can be done now'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "config" -d 'Check, show or explain the configuration'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "arm" -d 'Show what would start in a repo, and put the repo on the allowlist'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "off" -d 'Put the kill switch on'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "pause" -d 'Start nothing new; what runs is landed'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "resume" -d 'End a pause, or take the kill switch file away'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "status" -d 'Show what runs, what waits and what needs you'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "report" -d 'Write what happened as one page with charts'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "doctor" -d 'Say what is wrong with the installation, and what to do'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "spend" -d 'Show what was spent and what is reserved, against the limits'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "why" -d 'Say why an issue has not started or what it waits for'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "run" -d 'Look at runs and steer them'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "prompt" -d 'Print the prompt that would be sent for an issue'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "template" -d 'Keep versions of prompts, and say which one is used'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "revert" -d 'Open a pull request that takes back what was landed for an issue, and open the issue again'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "issue" -d 'Write and read issues of a local forge'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "pr" -d 'Review, merge and close pull requests of a local forge'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "state" -d 'Check, copy, put back or take over the state file'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "schedule" -d 'Let cron or systemd start the ticks'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "uninstall" -d 'Take the schedule out and say what is left'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "man" -d 'Print the manual page'
complete -c offhours -n "__fish_offhours_needs_command" -f -a "supervise" -d 'Hold one job to its end; started by a tick, not by hand'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l assume-armed -d 'With --dry-run: plan as if the kill switch were off'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand poll" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand watch" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand harvest" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "list" -d 'List lessons, newest first'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "show" -d 'Show one lesson, and how runs ended with it and without'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "add" -d 'Write a lesson down by hand'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "update" -d 'Change a lesson; an empty text takes a field away'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "snapshot" -d 'Count lessons by type and status'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "search" -d 'Find lessons by words in them, the best match first'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "approve" -d 'Allow a lesson with words from outside to be given to agents'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and not __fish_seen_subcommand_from list show add update snapshot search approve export" -f -a "export" -d 'Print every lesson, newest first, as Markdown or as JSON'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l type -d 'Only this type' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l status -d 'Only this status' -r -f -a "new\t''
in_progress\t''
closed\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l repo -d 'Only this repo' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l work-item -d 'Only this issue, as REPO#N, or other work item' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l limit -d 'At most this many [default: lessons.query_limit_default]' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l type -d 'What kind of lesson: lower-case letters, digits, _ and -' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l repo -d 'The repo it happened in' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l work-item -d 'The issue it happened on, as REPO#N, or another name' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l task -d 'The run it happened in' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l turn -d 'The turn it happened in' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l stage -d 'The stage it happened in' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l agent -d 'The runner that worked' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l status -d 'Where it stands with people' -r -f -a "new\t''
in_progress\t''
closed\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l root-cause -d 'Why it happened' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l suggestion -d 'What to do instead' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l detail -d 'Anything else' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l related-task -d 'What is being done about it: an issue, a run' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l attribution -d 'Whose fault it was' -r -f -a "platform\t''
project\t''
both\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l target-repo -d 'The repo that is to learn from it, if it is another' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l target-domain -d 'What it is about: quality, reliability, security, speed, process, or a word of yours' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l status -d 'Where it stands with people' -r -f -a "new\t''
in_progress\t''
closed\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l root-cause -d 'Why it happened' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l suggestion -d 'What to do instead' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l detail -d 'Anything else' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l related-task -d 'What is being done about it: an issue, a run' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l attribution -d 'Whose fault it was' -r -f -a "platform\t''
project\t''
both\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l target-repo -d 'The repo that is to learn from it, if it is another' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l target-domain -d 'What it is about: quality, reliability, security, speed, process, or a word of yours' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from snapshot" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l limit -d 'At most this many [default: lessons.query_limit_default]' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from search" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from approve" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l type -d 'Only this type' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l status -d 'Only this status' -r -f -a "new\t''
in_progress\t''
closed\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l repo -d 'Only this repo' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l work-item -d 'Only this issue, as REPO#N, or other work item' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand lessons; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l every -d 'While turns are held to their end: ask the forge, and runners elsewhere, this often' -r
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l assume-armed -d 'With --dry-run: plan as if the kill switch were off'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l foreground -d 'Hold the turns to their end, for places where a background process is ended with its job: sleep until one is over or the forge is due, and tell what happens as it happens'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand tick" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand init" -l landing -d 'How finished work reaches the branch; asked for on a terminal' -r -f -a "pull-request\t'A person reviews and merges'
push\t'Tested work goes straight to the branch; the tests are the gate'"
complete -c offhours -n "__fish_offhours_using_subcommand init" -l repo -d 'The repo to begin with, as owner/repo [default: what the remotes of this folder name]' -r
complete -c offhours -n "__fish_offhours_using_subcommand init" -l local -d 'The folder of a local forge: issues as files beside bare repositories' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand init" -l forge -d 'What kind of server the remote is on, where its name does not say it' -r -f -a "github\t''
forgejo\t''
gitea\t''"
complete -c offhours -n "__fish_offhours_using_subcommand init" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand init" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand init" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand init" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand init" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand init" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand init" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand init" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand init" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand init" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "start" -d 'Begin a batch, unless one is at work'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "fresh" -d 'Begin a batch, and end the one that is at work'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "stop" -d 'End the batch and take its environment down; pull requests stay open'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "status" -d 'Say whether a batch is at work and where it is, and print the newest summary'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "testme" -d 'Print CI\'s verdict on a pull request of a recipe'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "schedule" -d 'Print or install the weekly batch, and say whether it fired'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and not __fish_seen_subcommand_from start fresh stop status testme schedule cleanup" -f -a "cleanup" -d 'Close what was opened, take environments down and remove the branches; may be repeated'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l only -d 'Only this recipe; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l with-tests -d 'Also change tests that are stale, in a pull request of their own'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l scheduled -d 'This is the scheduled batch'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l only -d 'Only this recipe; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l with-tests -d 'Also change tests that are stale, in a pull request of their own'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l scheduled -d 'This is the scheduled batch'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from fresh" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l post -d 'Post the trigger first'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from testme" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -f -a "print" -d 'Print the lines'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -f -a "install" -d 'Run the command once as a dry run, then put the lines in their place'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from schedule" -f -a "verify" -d 'Say whether the first batch began in time and has a summary'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l batch -d 'Only what this batch opened' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand upgrade; and __fish_seen_subcommand_from cleanup" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -f -a "check" -d 'Read the configuration and say what is wrong with it'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -f -a "show" -d 'Print the configuration file'
complete -c offhours -n "__fish_offhours_using_subcommand config; and not __fish_seen_subcommand_from check show reference" -f -a "reference" -d 'Explain every key: type, default and meaning'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l effective -d 'Print every value that holds, also those that the file leaves out'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand config; and __fish_seen_subcommand_from reference" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l include-existing -d 'Also start on issues that carried the ready label before'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand arm" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand off" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand off" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand off" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand off" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand off" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand off" -l now -d 'Also end the turns that run'
complete -c offhours -n "__fish_offhours_using_subcommand off" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand off" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand off" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand off" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand off" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand off" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l for -d 'End by itself after this time: 30m, 12h, 2d' -r
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pause" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand resume" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand status" -l format -d 'How it is written' -r -f -a "text\t'For people; with --json for scripts'
prometheus\t'For a textfile collector of Prometheus'"
complete -c offhours -n "__fish_offhours_using_subcommand status" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand status" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand status" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand status" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand status" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand status" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand status" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand status" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand status" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c offhours -n "__fish_offhours_using_subcommand report" -l html -d 'Write one page with charts to this file' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand report" -l days -d 'How far back it looks' -r
complete -c offhours -n "__fish_offhours_using_subcommand report" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand report" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand report" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand report" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand report" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand report" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand report" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand report" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand report" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand report" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand report" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l as-cron -d 'Look with the PATH and the variables that cron gives'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l fix -d 'Make the labels that a repo has not'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l by -d 'By what it is summed up' -r -f -a "repo\t''
runner\t''
template\t''"
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l month -d 'Of this month instead of today'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand spend" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand why" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand why" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand why" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand why" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand why" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand why" -l live -d 'Ask the forge afresh instead of reading what the last tick stored'
complete -c offhours -n "__fish_offhours_using_subcommand why" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand why" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand why" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand why" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand why" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand why" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "list" -d 'List runs, newest first'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "show" -d 'Show one run: its state, turns, checks and cost'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "log" -d 'Print the output of a run\'s latest turn'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "stop" -d 'End a run, keep its work and release the issue'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "release" -d 'Release a claim whose holder is gone'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "retry" -d 'Take up a run again that was handed back or frozen'
complete -c offhours -n "__fish_offhours_using_subcommand run; and not __fish_seen_subcommand_from list show log stop release retry once" -f -a "once" -d 'Work on one issue now, whatever else is ready'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l all -d 'Also runs that are over'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -s f -l follow -d 'Go on printing until the turn is over'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from release" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l every -d 'While turns are held to their end: ask the forge, and runners elsewhere, this often' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l foreground -d 'Hold the turns to their end'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand run; and __fish_seen_subcommand_from once" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand prompt" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "add" -d 'Keep the text of a file as a version; it becomes a candidate'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "list" -d 'List every version and its state'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "show" -d 'Print the text of a version'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "diff" -d 'Show what changed between two versions'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "canary" -d 'Try a candidate out beside the champion, on a part of the new issues'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "history" -d 'Show what became of each version\'s runs, and of each canary'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "promote" -d 'Make a version the champion'
complete -c offhours -n "__fish_offhours_using_subcommand template; and not __fish_seen_subcommand_from add list show diff canary history promote reject" -f -a "reject" -d 'Put a version away for good'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l file -d 'The file with the text' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l fraction -d 'The part of new issues that it gets, above 0 and below 1 [default: canary.fraction]' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from canary" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from promote" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand template; and __fish_seen_subcommand_from reject" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand revert" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "new" -d 'Open an issue'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "list" -d 'List issues'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "show" -d 'Show an issue with its comments'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "label" -d 'Put labels on an issue, or take them away'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "comment" -d 'Comment on an issue'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "close" -d 'Close an issue'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and not __fish_seen_subcommand_from new list show label comment close reopen" -f -a "reopen" -d 'Open a closed issue again'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l title -d 'The title' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l body-file -d 'File with the body; - reads it from standard input' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l label -d 'A label; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l priority -d 'Priority; larger goes first' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l blocked-by -d 'Number of an issue that has to be closed first; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l label -d 'Only issues with this label; with several, all of them' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l all -d 'Also closed issues'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l add -d 'A label to put on; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l remove -d 'A label to take away; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from label" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from comment" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand issue; and __fish_seen_subcommand_from reopen" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "new" -d 'Ask for a branch to be taken into another'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "list" -d 'List pull requests'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "show" -d 'Show a pull request with its reviews and comments'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "review" -d 'Approve a pull request, ask for changes, or remark on it'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "merge" -d 'Take a pull request\'s branch into its target'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "comment" -d 'Comment on a pull request'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "close" -d 'Close a pull request without merging it'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and not __fish_seen_subcommand_from new list show review merge comment close reopen" -f -a "reopen" -d 'Open a closed pull request again'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l title -d 'The title' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l body-file -d 'File with the body; - reads it from standard input' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l into -d 'The branch that it is to be taken into [default: the repository\'s own]' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l all -d 'Also closed and merged ones'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l diff -d 'Also what it would change'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -s m -l message -d 'What is to be said; - reads it from standard input' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l on -d 'A remark on one place; may be given more than once' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l approve -d 'It is good as it is'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l request-changes -d 'It has to be changed'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l comment -d 'Neither; only remarks'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from review" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l head -d 'Only if its branch is at this commit' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l squash -d 'As one commit [default: by a merge commit]'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l rebase -d 'Commit by commit on top of the target'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from merge" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from comment" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand pr; and __fish_seen_subcommand_from reopen" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -f -a "check" -d 'Check that the state file is whole'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -f -a "backup" -d 'Copy the state file, also while it is in use'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -f -a "restore" -d 'Put a copy in the place of the state file; the old one is set aside'
complete -c offhours -n "__fish_offhours_using_subcommand state; and not __fish_seen_subcommand_from check backup restore adopt" -f -a "adopt" -d 'Take over a state file that was made on another machine'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand state; and __fish_seen_subcommand_from adopt" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -f -a "print" -d 'Print what would be installed, and what can be used elsewhere'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -f -a "install" -d 'Install it, once: what is there already is brought up to date'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -f -a "remove" -d 'Take out what was installed, and nothing else'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and not __fish_seen_subcommand_from print install remove verify" -f -a "verify" -d 'Say whether it is installed, up to date and firing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l every -d 'Minutes between ticks: a number that divides an hour' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from print" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l every -d 'Minutes between ticks: a number that divides an hour' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand schedule; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l purge -d 'Also remove the state folder with its history and its kept work, and the configuration'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand uninstall" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand completions" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand man" -l dir -d 'Write a page for every command into this folder, instead of printing the first one' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand man" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand man" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand man" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand man" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand man" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand man" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand man" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand man" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand man" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand man" -s h -l help -d 'Print help'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l repos -d 'Where the private repositories are' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l work -d 'Where the workspaces are' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l config -d 'The configuration file [default: $OFFHOURS_CONFIG, then the usual places]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l state -d 'The state file [default: in $STATE_DIRECTORY, then $XDG_STATE_HOME/offhours]' -r -F
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l wait -d 'Wait this long for a verdict' -r
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l deadline -d 'Start no new work when this much of a tick is over' -r
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l dry-run -d 'Print what would be done, and do nothing'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l json -d 'Print one JSON document on standard output, and nothing else there'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -l exit-code -d 'Answer a verdict by the exit code: 0 good, 1 bad, 75 pending'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -s v -l verbose -d 'Say more; twice: everything'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -s q -l quiet -d 'Say only what went wrong'
complete -c offhours -n "__fish_offhours_using_subcommand supervise" -s h -l help -d 'Print help'
