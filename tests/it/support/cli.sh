#!/bin/sh
# A command line of the GAM's shape for OpenSSH's sshd to serve. The terminal itself echoes, and turns CR into a
# line end. Knows just enough to be read, configured and saved.
mode=''
saved='never saved'
prompt() { printf 'gam-ssh%s# ' "$mode"; }
printf '\n'
prompt
while IFS= read -r line; do
    case "$mode:$line" in
    ':exit') exit 0 ;;
    ':configure terminal') mode='(config)' ;;
    '(config):end') mode='' ;;
    '(config):ghn port 9'*) printf '%% Invalid G.hn port\n\n' ;;
    '(config):ghn '*) last="$line" ;;
    ':show running-config') printf 'Building configuration...\nhostname gam-ssh\n%s\n!\nend\n' "$last" ;;
    ':more flash:startup-config') printf '%s\nend\n' "$saved" ;;
    ':copy running-config startup-config')
        saved="$last"
        printf 'Building configuration...\n%% Saving 1435 bytes to flash:startup-config\n'
        ;;
    ':terminal '* | *:) ;;
    *) printf "         ^\n%% Invalid word detected at '^' marker.\n\n" ;;
    esac
    prompt
done
