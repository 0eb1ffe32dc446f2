import type { Command as AnyCommand } from 'commander';
import { type CompletedCommand, commandTree, everyCommand, quoted } from './tree.ts';

/*
 * The scripts that shells read. Names and options are in them; for names of webhooks and ids they ask `hookctl __complete`.
 */

/** `json`: the same as data, for other programs. */
export const SHELLS = ['bash', 'zsh', 'fish', 'json'] as const;
type Shell = (typeof SHELLS)[number];

/** The script of a shell, with every command and option. */
export function completionScript(shell: Shell, program: AnyCommand): string {
  const tree = commandTree(program);
  switch (shell) {
    case 'bash':
      return BASH.replace('@SPEC@', () => cases(tree, false));
    case 'zsh':
      return ZSH.replace('@SPEC@', () => cases(tree, true));
    case 'fish':
      return fish(tree);
    case 'json':
      return `${JSON.stringify(tree, null, 1)}\n`;
    default:
      return shell satisfies never;
  }
}

/** One `case` branch for each command. An option is `--name`, or `--name=kind` when it takes a value; behind a tab its summary. */
function cases(tree: CompletedCommand, isDescribed: boolean): string {
  const described = (word: string, summary: string) =>
    quoted(isDescribed && summary !== '' ? `${word}\t${summary}` : word);
  const branches = everyCommand(tree).map(({ path, subcommands, options, args, repeats }) => {
    const subs = subcommands.map((sub) => described(sub.path.split(' ').at(-1) ?? '', sub.summary));
    const opts = options.map(({ flag, kind, summary }) =>
      described(kind === null ? flag : `${flag}=${kind}`, summary),
    );
    const kinds = args.map((kind) => quoted(kind));
    return `    ${quoted(path)})
      subs=(${subs.join(' ')}) args=(${kinds.join(' ')}) repeats=${repeats ? 1 : 0}
      opts=(${opts.join(' ')}) ;;`;
  });
  return branches.join('\n');
}

const BASH = `# Completions of hookctl for bash. Made by: hookctl completion bash

# What command "$1" takes, in subs, opts, args and repeats.
__hookctl_spec() {
  subs=() opts=() args=() repeats=0
  case $1 in
@SPEC@
  esac
}

# The words up to the cursor, in words: bash splits at : and =, too.
__hookctl_words() {
  local line=\${COMP_LINE:0:COMP_POINT} word i
  words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ \${#words[@]} -gt 0 && $line != [[:blank:]]* && -n $line ]]; then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    line=\${line#"\${line%%[![:blank:]]*}"}
    line=\${line#"$word"}
  done
}

__hookctl_offer() { # kind, then what comes before the values in the word
  local kind=$1 before=$2 value values=()
  case $kind in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    text) return ;;
    one:*) IFS=, read -r -a values <<< "\${kind#one:}" ;;
    *) mapfile -t values < <("\${words[0]}" "\${config[@]}" __complete "$kind" "\${given[@]}" 2>/dev/null | cut -f 1) ;;
  esac
  for value in "\${values[@]}"; do __hookctl_add "$before$value"; done
}

# Adds a word to COMPREPLY when it begins like what is typed: quoted as typed, without what bash keeps of it.
__hookctl_add() {
  local value=$1 kept typed=$cur
  [[ $value == "$typed"* ]] || return
  kept=\${typed%"\${typed##*[:=]}"}
  [[ $COMP_WORDBREAKS == *:* ]] || kept=\${typed%"\${typed##*=}"}
  value=\${value#"$kept"}
  [[ -n $quote ]] || printf -v value %q "$value"
  COMPREPLY+=("$value")
}

_hookctl() {
  local words subs opts args repeats path='' cur quote='' config=() given=() i word opt at wanted=''
  __hookctl_words
  COMPREPLY=()
  cur=\${words[\${#words[@]}-1]}
  case $cur in [\\"\\']*) quote=\${cur:0:1} cur=\${cur:1} ;; *) cur=\${cur//\\\\/} ;; esac
  __hookctl_spec ''
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ -n $wanted ]]; then
      [[ $wanted == --config=* ]] && config=(--config "$word")
      wanted=''
    elif [[ $word == --config=* ]]; then
      config=("$word")
    elif [[ $word == -* ]]; then
      for opt in "\${opts[@]}" --config=file; do [[ $opt == "$word="* ]] && wanted=$opt; done
    else
      for opt in "\${subs[@]}"; do
        [[ $opt == "$word" && \${#given[@]} == 0 ]] || continue
        path="\${path:+$path }$word"
        __hookctl_spec "$path"
        continue 2
      done
      given+=("$word")
    fi
  done
  if [[ -n $wanted ]]; then
    __hookctl_offer "\${wanted#*=}" ''
  elif [[ $cur == --*=* ]]; then
    for opt in "\${opts[@]}" --config=file; do
      [[ $opt == "\${cur%%=*}="* ]] && __hookctl_offer "\${opt#*=}" "\${cur%%=*}="
    done
  elif [[ $cur == -* ]]; then
    for opt in "\${opts[@]}" --config=file --verbose; do __hookctl_add "\${opt%%=*}"; done
  else
    [[ \${#given[@]} == 0 ]] && for opt in "\${subs[@]}"; do __hookctl_add "$opt"; done
    at=\${#given[@]}
    [[ $repeats == 1 && $at -ge \${#args[@]} ]] && at=$((\${#args[@]} - 1))
    [[ $at -lt \${#args[@]} ]] && __hookctl_offer "\${args[at]}" ''
  fi
  return 0
}

complete -F _hookctl hookctl
`;

const ZSH = `#compdef hookctl
# Completions of hookctl for zsh. Made by: hookctl completion zsh

# What command "$1" takes, in subs, opts, args and repeats.
__hookctl_spec() {
  subs=() opts=() args=() repeats=0
  case $1 in
@SPEC@
  esac
}

# Offers words that may have a summary behind a tab.
__hookctl_add() {
  local each
  local -a values shown
  for each in "$@"; do
    values+=("\${each%%$'\\t'*}")
    shown+=("\${each/$'\\t'/  -- }")
  done
  (( $#values )) && compadd -l -d shown -a values
}

__hookctl_offer() {
  local -a lines
  case $1 in
    file) _files ;;
    folder) _files -/ ;;
    text) ;;
    one:*) lines=("\${(@s:,:)\${1#one:}}"); __hookctl_add "$lines[@]" ;;
    *)
      lines=("\${(@f)$("$words[1]" "$config[@]" __complete "$1" "$given[@]" 2>/dev/null)}")
      lines=("\${(@)lines:#}")
      __hookctl_add "$lines[@]" ;;
  esac
}

_hookctl() {
  local path_='' word opt wanted='' at repeats
  local -a subs opts args config given names
  local -i i
  __hookctl_spec ''
  for (( i = 2; i < CURRENT; i++ )); do
    word=\${(Q)words[i]}
    if [[ -n $wanted ]]; then
      [[ $wanted == --config=* ]] && config=(--config "$word")
      wanted=''
    elif [[ $word == --config=* ]]; then
      config=("$word")
    elif [[ $word == -* ]]; then
      for opt in "$opts[@]" --config=file; do
        [[ $opt == "$word="* ]] && wanted=\${opt%%$'\\t'*}
      done
    elif [[ $#given == 0 && -n \${(M)subs:#\${(b)word}($'\\t'*|)} ]]; then
      path_="\${path_:+$path_ }$word"
      __hookctl_spec "$path_"
    else
      given+=("$word")
    fi
  done
  if [[ -n $wanted ]]; then
    __hookctl_offer "\${wanted#*=}"
  elif [[ $words[CURRENT] == --*=* ]]; then
    word=\${words[CURRENT]%%=*}
    for opt in "$opts[@]" --config=file; do
      if [[ $opt == "$word="* ]]; then
        compset -P '*='
        opt=\${opt%%$'\\t'*}
        __hookctl_offer "\${opt#*=}"
      fi
    done
  elif [[ $words[CURRENT] == -* ]]; then
    for opt in "$opts[@]" $'--config=file\\twebhooks.yml to use' $'--verbose\\tshow stack traces'; do
      if [[ $opt == *=*$'\\t'* ]]; then opt="\${opt%%=*}"$'\\t'"\${opt#*$'\\t'}"; fi
      names+=("$opt")
    done
    __hookctl_add "\${(@u)names}"
  else
    (( $#given )) || __hookctl_add "$subs[@]"
    at=$(( $#given + 1 ))
    (( repeats && at > $#args )) && at=$#args
    (( at >= 1 && at <= $#args )) && __hookctl_offer "$args[at]"
  fi
  return 0
}

# Sourced, or found on the fpath.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _hookctl "$@"; else compdef _hookctl hookctl; fi
`;

function fish(tree: CompletedCommand): string {
  const q = (text: string) => quoted(text, true);
  const all = everyCommand(tree);
  const valued = [
    ...new Set(all.flatMap(({ options }) => options.flatMap((o) => (o.kind === null ? [] : o.flag)))),
  ];
  const paths = all.map(({ path }) => path).filter((path) => path !== '');
  const lines = all.flatMap(({ path, subcommands, options, args, repeats }) => {
    const at = `-n ${q(`__hookctl_at ${q(path)}`)}`;
    const first = `-n ${q(`__hookctl_at ${q(path)} 0`)}`;
    const offer = (kind: string) => {
      if (kind === 'file') return '-rF';
      if (kind === 'folder') return `-xa '(__fish_complete_directories)'`;
      if (kind === 'text') return '-x';
      return kind.startsWith('one:')
        ? `-xa ${q(kind.slice(4).replaceAll(',', ' '))}`
        : `-xa ${q(`(__hookctl_ask ${kind})`)}`;
    };
    const described = (summary: string) => (summary === '' ? '' : ` -d ${q(summary)}`);
    return [
      ...subcommands.map(
        (sub) =>
          `complete -c hookctl ${first} -xa ${q(sub.path.split(' ').at(-1) ?? '')}${described(sub.summary)}`,
      ),
      ...options.map(
        ({ flag, short, kind, summary }) =>
          [
            `complete -c hookctl ${at} -l ${flag.slice(2)}`,
            ...(short === null ? [] : [`-s ${short.slice(1)}`]),
            ...(kind === null ? [] : [offer(kind)]),
          ].join(' ') + described(summary),
      ),
      ...args.flatMap((kind, index) => {
        const from = repeats && index === args.length - 1 ? `${index}+` : `${index}`;
        return kind === 'text'
          ? []
          : [
              `complete -c hookctl -n ${q(`__hookctl_at ${q(path)} ${from}`)} ${offer(kind).replace(/^-x?r?/, '-')}`,
            ];
      }),
    ];
  });
  return `# Completions of hookctl for fish. Made by: hookctl completion fish

set -g __hookctl_paths ${paths.map(q).join(' ')}
set -g __hookctl_valued ${valued.join(' ')}

# The command up to the cursor in __hookctl_path, its arguments in __hookctl_given.
function __hookctl_walk
    set -g __hookctl_path ''
    set -g __hookctl_given
    set -g __hookctl_config
    set -l wanted ''
    for word in (commandline -opc)[2..]
        if test -n "$wanted"
            test "$wanted" = --config; and set -g __hookctl_config --config $word
            set wanted ''
        else if string match -q -- '--config=*' $word
            set -g __hookctl_config $word
        else if string match -q -- '-*' $word
            contains -- $word $__hookctl_valued --config; and set wanted $word
        else
            set -l longer (string trim -- "$__hookctl_path $word")
            if test (count $__hookctl_given) -eq 0; and contains -- "$longer" $__hookctl_paths
                set -g __hookctl_path $longer
            else
                set -ga __hookctl_given $word
            end
        end
    end
end

# Whether the cursor is behind command $argv[1]; with $argv[2], at its argument of this number ("1+": or a later one).
function __hookctl_at
    __hookctl_walk
    test "$__hookctl_path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    set -l count (count $__hookctl_given)
    if string match -q '*+' $argv[2]
        test $count -ge (string trim -c + $argv[2])
    else
        test $count -eq $argv[2]
    end
end

function __hookctl_ask
    __hookctl_walk
    set -l program (commandline -opc)[1]
    $program $__hookctl_config __complete $argv[1] $__hookctl_given 2>/dev/null
end

complete -c hookctl -f
complete -c hookctl -l config -rF -d 'webhooks.yml to use'
complete -c hookctl -l verbose -d 'show stack traces of failures'
${lines.join('\n')}
`;
}
