import { shellWord } from '../../config/shell-word.ts';
import { endingOf, judgeEnding, until } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { apiOf, type Look, notAnswering } from './look.ts';

interface Certificate {
  readonly status?: {
    readonly notBefore?: string;
    readonly notAfter?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

/** Whether the certificates that the program asks cert-manager for are issued, and renewed in time. */
export async function judgeCertificates(look: Look): Promise<readonly Finding[]> {
  const wanted = look.objects.flatMap(({ kind, group, name, folder }) => (kind === 'Certificate' && group === 'cert-manager.io' && folder !== 'gcp' ? [{ name, ...folder }] : []));
  const all = await Promise.all(wanted.map(async ({ context, namespace = '', name }) => {
    const check = new Check('certificate', `${namespace}/${name}`);
    const api = apiOf(look, context);
    if (api === undefined) return [check.unchecked(notAnswering)];
    return await check.look(async () => {
      const live = await api.find<Certificate>(`/apis/cert-manager.io/v1/namespaces/${namespace}/certificates/${name}`);
      if (live === undefined) return check.unchecked('there is no such Certificate yet');
      return judge(check, live, `See: kubectl --context ${shellWord(context)} -n ${namespace} describe certificate ${name}`);
    });
  }));
  return all.flat();
}

function judge(check: Check, { status }: Certificate, remedy: string): Finding {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const validity = { begins: Date.parse(status?.notBefore ?? ''), ends: Date.parse(status?.notAfter ?? '') };
  const issued = !Number.isNaN(validity.begins) && !Number.isNaN(validity.ends);
  if (ready?.status !== 'True') {
    const good = issued && endingOf(validity) !== 'over' ? `; the one that is there is good ${until(validity)}` : '';
    return check.fault(`is not issued: ${ready?.message ?? 'cert-manager has not answered'}${good}`, { remedy });
  }
  return issued ? judgeEnding(check, validity, { found: `is good ${until(validity)}`, remedy }) : check.ok('is issued');
}
