// What was spoken in this browser: in its own database, here and nowhere else.
const NAME = "ttsops-studio", STORE = "spoken", MOST = 50;

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function run(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error); // aborted: the disk is full
    });
  } finally { database.close(); }
}

export const all = async () => (await run("readonly", (store) => store.getAll())).reverse();
export const forget = () => run("readwrite", (store) => store.clear());
export async function add(entry) {
  await run("readwrite", (store) => store.add(entry));
  const old = (await all()).slice(MOST);
  for (const one of old) await run("readwrite", (store) => store.delete(one.id));
}
