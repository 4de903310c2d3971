// Must come before whatever loads msgpackr. Its native decoder cuts strings out of long ones, so that each string that is kept
// keeps all of its frame: a tenth of the memory where ten thousand agents live in one heap.
if (process.argv[2] === 'lab') process.env['MSGPACKR_NATIVE_ACCELERATION_DISABLED'] ??= 'true';
