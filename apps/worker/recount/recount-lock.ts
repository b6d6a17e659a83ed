/** Advisory lock of recounts. Folds of quarter hours share it among themselves. */
export const recountLock = 'hopcount:recount'
