import type { Provider } from '../../types.ts';
import { providerBy } from '../by-settings/index.ts';
import { type BuiltInProvider, PROVIDERS } from '../facts.ts';
import { samplesOf } from '../kit/samples.ts';
import { PRESETS } from './list.ts';

/** The provider of a preset; null when there is none of that name. */
export function presetNamed(name: string): Provider | null {
  const preset = PRESETS[name as BuiltInProvider];
  if (preset === undefined) return null;
  const { setUp, settings, typeOf, mayRepeat, reply } = preset;
  return providerBy(settings, {
    name,
    label: PROVIDERS[name as BuiltInProvider].label,
    base: settings,
    samples: samplesOf('presets', undefined, name),
    setUp,
    ...(typeOf !== undefined && { typeOf }),
    ...(mayRepeat !== undefined && { mayRepeat }),
    ...(reply !== undefined && { reply }),
  });
}
