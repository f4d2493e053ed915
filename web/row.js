import { formatPercent, formatSize, texts } from './texts.js';

const template = document.querySelector('#row');

/** The line of one file in the list; it shows what its upload is told to be. */
export function createRow(file, onCancel) {
  const row = template.content.firstElementChild.cloneNode(true);
  const [badge, name, state, bar, cancel] = ['.badge', '.name', '.state', 'progress', '.cancel'].map(
    (selector) => row.querySelector(selector),
  );
  const size = formatSize(file.size);
  badge.textContent = extensionOf(file.name);
  name.textContent = file.name;
  state.textContent = texts.waiting;
  bar.ariaLabel = texts.progressOf(file.name);
  cancel.textContent = texts.cancel;
  cancel.ariaLabel = texts.cancelFile(file.name);
  cancel.addEventListener('click', onCancel);

  /** Without its bar and button; who had the button focused goes on in the row. */
  const end = (className, ...content) => {
    const hadFocus = document.activeElement === cancel;
    row.classList.add(className);
    state.replaceChildren(...content);
    bar.remove();
    cancel.remove();
    if (hadFocus) (row.querySelector('a') ?? row).focus();
  };

  return {
    element: row,
    showProgress(fraction) {
      bar.value = fraction;
      state.textContent = fraction < 1 ? texts.sending(formatPercent(fraction), size) : texts.finishing;
    },
    showResult({ url, mode }) {
      const link = Object.assign(document.createElement('a'), {
        href: url,
        textContent: url,
        target: '_blank',
      });
      end('done', link, small(texts[mode](size)));
      if (file.type.startsWith('image/')) showPicture(badge, url);
    },
    showError({ message, code, requestId }) {
      const sentence = Object.assign(document.createElement('span'), {
        className: 'wrong',
        textContent: message,
      });
      end('failed', sentence, small(texts.request(code, requestId)));
    },
    showCancelled() {
      end('cancelled', texts.cancelled);
    },
  };
}

function showPicture(badge, url) {
  const picture = new Image();
  picture.alt = '';
  picture.addEventListener('load', () => badge.replaceChildren(picture));
  picture.src = url;
}

function small(text) {
  return Object.assign(document.createElement('small'), { textContent: text });
}

function extensionOf(name) {
  const [, extension = '?'] = /\.([^.]{1,4})$/.exec(name) ?? [];
  return extension;
}
