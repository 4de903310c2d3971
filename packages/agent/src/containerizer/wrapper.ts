/**
 * Runs a command as the only child of its shell: `sh -c wrapper mezzo-task RUN_FOLDER BOOT_ID PROGRAM ARGUMENT…`, for any
 * POSIX sh. The command is forked and executed exactly as given, in the wrapper's process group, with the default signal
 * dispositions and the wrapper's standard streams.
 *
 * - `RUN_FOLDER/pid` names the wrapper (see ProcessRecord) before the command starts, so that no crash of the agent can
 *   leave a command that nobody knows.
 * - The wrapper survives TERM, INT and HUP: what it traps is reset in the command.
 * - `RUN_FOLDER/exit` holds the command's status (128 + n after signal n), and appears whole by rename.
 * - Its last act kills what the command left behind in the group, itself included. Only if the record could not be
 *   written does it exit with the command's status.
 */
export const wrapper = `trap : HUP INT TERM
run=$1 boot=$2
shift 2
started() { shift 19; start=$1; }
{ read -r stat < "/proc/$$/stat" && started \${stat##*)}; } 2> /dev/null
printf '{"pid":%d,"startTime":%d,"bootId":"%s"}\\n' "$$" "\${start:-0}" "$boot" > "$run/pid"
exec 3>&2 2> /dev/null
(exec 2>&3 3>&-; exec "$@")
status=$?
trap '' HUP INT TERM
printf '%d\\n' "$status" > "$run/exit.new" && /bin/mv -f "$run/exit.new" "$run/exit" && kill -KILL 0
exit "$status"
`;

/** Makes symbolic links in the working directory: pairs of a link and its target come first, closed by `--`. */
const linker = `while [ "$1" != -- ]; do
case \${1#./} in */*) /bin/mkdir -p "\${1%/*}" || exit 1 ;; esac
/bin/ln -sfn "$2" "$1" || exit 1
shift 2
done
shift
`;

/**
 * The program and arguments that run `command` (a program and its arguments) under the wrapper.
 *
 * @param links targets of symbolic links to be made first, by their paths below the working directory
 */
export function wrapped(
  runFolder: string,
  bootId: string,
  command: readonly string[],
  links: ReadonlyMap<string, string> = new Map(),
): { readonly file: string; readonly arguments: readonly string[] } {
  const run = ['mezzo-task', runFolder, bootId, ...command];
  if (links.size === 0) return { file: '/bin/sh', arguments: ['-c', wrapper, ...run] };
  const pairs = [...links].flatMap(([link, target]) => [`./${link}`, target]);
  return { file: '/bin/sh', arguments: ['-c', `${linker}${wrapper}`, 'mezzo-task', ...pairs, '--', ...run.slice(1)] };
}
