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

/** The program and arguments that run `command` (a program and its arguments) under the wrapper. */
export function wrapped(
  runFolder: string,
  bootId: string,
  command: readonly string[],
): { readonly file: string; readonly arguments: readonly string[] } {
  return { file: '/bin/sh', arguments: ['-c', wrapper, 'mezzo-task', runFolder, bootId, ...command] };
}
