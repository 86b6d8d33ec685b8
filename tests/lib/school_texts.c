#include "tests/lib/school_texts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) ((unsigned)(sizeof(table) / sizeof((table)[0])))

enum { TOPICS = 6, ASPECTS = 8, HOMEWORKS = 6 };

// clang-format off
static const char *const topics[SUBJECT_COUNT][TOPICS] = {
    [SUBJECT_RUSSIAN] = {"Имя прилагательное как часть речи", "Сложные предложения с разными видами связи", "Правописание безударных гласных в корне", "Причастный оборот", "Знаки препинания при обращении", "Ё после шипящих"},
    [SUBJECT_READING] = {"Устное народное творчество", "Басни", "Стихи о родной природе", "Рассказы о детях", "Литературные сказки", "Былины"},
    [SUBJECT_LITERATURE] = {"М. Ю. Лермонтов. «Песня про купца Калашникова»", "А. С. Пушкин. «Капитанская дочка»", "Н. В. Гоголь. «Ревизор»", "«Слово о полку Игореве»", "И. С. Тургенев. «Муму»", "Древнерусская литература"},
    [SUBJECT_NATIVE] = {"Имя существительное", "Глагол и его времена", "Классные показатели", "Послелоги", "Звуки и буквы. Буква Ӏ", "Строение слова"},
    [SUBJECT_NATIVE_READING] = {"Пословицы", "Сказки", "Рассказы о горах", "Стихи о матери", "Загадки", "Песни"},
    [SUBJECT_NATIVE_LITERATURE] = {"Илли: героические песни", "Предания о башнях", "Поэзия XX века", "Рассказ и повесть", "Фольклор", "Литературный портрет"},
    [SUBJECT_ENGLISH] = {"Present Perfect и Past Simple: употребление", "My school day", "Степени сравнения прилагательных", "Travelling", "Healthy food", "Модальные глаголы"},
    [SUBJECT_MATHEMATICS] = {"Решение задач на проценты", "Обыкновенные дроби", "Площадь и периметр", "Уравнения", "Деление с остатком", "Координатная прямая"},
    [SUBJECT_ALGEBRA] = {"Степени", "Квадратные уравнения. Формула корней", "Линейная функция", "Формулы сокращённого умножения", "Неравенства", "Арифметическая прогрессия"},
    [SUBJECT_GEOMETRY] = {"Признаки равенства треугольников", "Теорема Пифагора", "Окружность", "Параллельные прямые", "Площадь многоугольника", "Векторы"},
    [SUBJECT_STATISTICS] = {"Таблицы и диаграммы", "Среднее арифметическое и медиана", "Случайные события", "Вероятность", "Графы", "Рассеивание данных"},
    [SUBJECT_INFORMATICS] = {"Информация и её свойства", "Системы счисления", "Алгоритмы", "Цикл «пока»", "Электронные таблицы", "Безопасность в сети"},
    [SUBJECT_WORLD] = {"Природные зоны России", "Вода в природе", "Человек и общество", "Растения нашего края", "Планеты", "Правила дорожного движения"},
    [SUBJECT_HISTORY] = {"Западная Европа в XI–XIII веках", "Древний Египет", "Реформы Петра I", "Отечественная война 1812 года", "Великие географические открытия", "Промышленный переворот"},
    [SUBJECT_SOCIETY] = {"Человек и закон", "Семья", "Рынок", "Гражданин и государство", "Мораль", "Труд и его оплата"},
    [SUBJECT_GEOGRAPHY] = {"Природные зоны России", "Литосфера", "Климат", "Население", "Реки и озёра", "Хозяйство Северного Кавказа"},
    [SUBJECT_BIOLOGY] = {"Строение клетки. Органоиды", "Фотосинтез", "Членистоногие", "Кровь и кровообращение", "Наследственность", "Экосистемы"},
    [SUBJECT_PHYSICS] = {"Сила трения. Решение задач", "Плотность вещества", "Давление жидкости", "Закон Ома", "Законы Ньютона", "Тепловые явления"},
    [SUBJECT_CHEMISTRY] = {"Периодический закон", "Кислород", "Кислоты", "Химическая связь", "Растворы", "Металлы"},
    [SUBJECT_RELIGIONS] = {"Россия — наша Родина", "Добро и зло", "Семья и её ценности", "Праздники", "Долг и совесть", "Золотое правило"},
    [SUBJECT_CULTURES] = {"Наш дом — Россия", "Язык и история", "Обычаи гостеприимства", "Духовный мир человека", "Труд и красота", "Память"},
    [SUBJECT_ART] = {"Натюрморт", "Линия и штрих", "Узор и орнамент", "Пейзаж", "Портрет", "Архитектура"},
    [SUBJECT_MUSIC] = {"Народная песня", "Симфония", "Лад и ритм", "Опера", "Инструменты: пондар и зурна", "Хор"},
    [SUBJECT_CRAFT] = {"Обработка древесины", "Работа с тканью", "Чертёж и эскиз", "Кулинария", "Робототехника", "Проект изделия"},
    [SUBJECT_SPORT] = {"Бег на 60 м", "Волейбол. Приём мяча", "Гимнастика", "Прыжок в длину", "Баскетбол", "Кросс"},
    [SUBJECT_SAFETY] = {"Первая помощь", "Пожарная безопасность", "Безопасность в горах", "Землетрясения", "Безопасность в сети", "Гражданская оборона"},
    [SUBJECT_PROJECT] = {"Выбор темы", "План работы", "Сбор материала", "Оформление", "Защита", "Источники"},
    [SUBJECT_ELECTIVE] = {"Задачи с параметром", "Практикум по экзамену", "Текст и его анализ", "Уравнения", "Графики", "Повторение"},
};

static const char *const aspects[ASPECTS] = {"", ". Изучение нового", ". Закрепление", ". Решение задач", ". Практическая работа", ". Повторение", ". Обобщение и систематизация знаний", ". Контроль знаний"};

/* {p} page, {q} a later page, {a} {b} number, {k} small number, {t} the lesson's topic. */
static const char *const homeworks_any[HOMEWORKS] = {"§ {p}, пересказ; заполнить таблицу в тетради", "Стр. {p}–{q}, читать, отвечать на вопросы 1–{k}", "Стр. {p}, задание {k}; выучить слова в рамке", "§ {p}, вопросы 1–{k} устно, {k} письменно", "Подготовиться к контрольной работе по теме «{t}»", "§ {p}–{q} повторить; подготовить сообщение на 3–{k} минут, найти ещё один пример из жизни нашего края и записать его"};
static const char *const homeworks_language[HOMEWORKS] = {"§ {p}, упр. {a}", "Выучить правило на стр. {p}, упр. {a} (письменно)", "§ {p}, упр. {a}, {b}; разбор слов в упр. {a}", "Подготовиться к диктанту, повторить § {p}–{q}", "Подготовиться к контрольной работе по теме «{t}»", "Упр. {a}: выписать слова с буквой ё, составить {k} предложений"};
static const char *const homeworks_literature[HOMEWORKS] = {"Выучить наизусть стихотворение (по выбору)", "Стр. {p}–{q}, читать, отвечать на вопросы 1–{k}", "Дочитать до главы {k}, пересказ эпизода", "Сочинение «{t}», 1–2 страницы", "Стр. {p}–{q}, читать по ролям", "Выписать {k} цитат, характеризующих героя"};
static const char *const homeworks_mathematics[HOMEWORKS] = {"№ {a}, № {b}", "№ {a}, № {b}, № {q}", "§ {p}, задачи № {a}–{b}, оформить решение с пояснениями", "П. {k}, № {a} (а, б, в), № {b} (1, 3)", "Подготовиться к контрольной работе по теме «{t}»", "Выучить формулы на стр. {p}, № {a}"};

static const char *const comments[] = {"Не подготовлен к уроку", "Активно работал(а) на уроке, молодец!", "Забыл(а) тетрадь", "Прошу обратить внимание на таблицу умножения", "Не сдал(а) работу, срок до пятницы", "Опоздал(а) на 10 минут", "Отличный ответ у доски", "Отвлекается, прошу побеседовать дома"};
static const char *const messages[] = {"Уважаемые родители! Родительское собрание состоится в пятницу в 17:{k}0, кабинет {a}.", "Уважаемые родители! Завтра класс идёт в музей, сбор в 9:{k}0 у входа в школу. Нужна вода и сменная обувь.", "Прошу проверить дневник за неделю и расписаться.", "Напоминаю: до {k} числа нужно сдать согласие на экскурсию «Башни Аргуна».", "Завтра уроков физкультуры на улице не будет, форма для зала."};
// clang-format on

void text_topic(enum school_subject subject, unsigned number, unsigned total, char *out)
{
    assert((unsigned)subject < SUBJECT_COUNT && number >= 1 && total >= 1);
    unsigned steps = TOPICS * ASPECTS;
    unsigned step = (unsigned)((uint64_t)(number - 1) * steps / total) % steps;
    (void)snprintf(
        out, TEXT_SIZE, "%s%s", topics[subject][step / ASPECTS], aspects[step % ASPECTS]);
}

static const char *homework_template(struct random_stream *stream, enum school_subject subject)
{
    unsigned n = draw_below(stream, HOMEWORKS);
    switch (curriculum_subject(subject)->department) {
    case DEPARTMENT_MATHEMATICS:
        return homeworks_mathematics[n];
    case DEPARTMENT_RUSSIAN:
    case DEPARTMENT_NATIVE:
        return subject == SUBJECT_RUSSIAN || subject == SUBJECT_NATIVE ? homeworks_language[n]
                                                                       : homeworks_literature[n];
    case DEPARTMENT_ENGLISH:
    case DEPARTMENT_SOCIETY:
    case DEPARTMENT_NATURE:
    case DEPARTMENT_PHYSICS:
    case DEPARTMENT_ARTS:
    case DEPARTMENT_CRAFT:
    case DEPARTMENT_SPORT:
    case DEPARTMENT_PRIMARY:
        break;
    }
    return homeworks_any[n];
}

static unsigned draw_number(struct random_stream *stream, char placeholder)
{
    switch (placeholder) {
    case 'p':
        return draw_between(stream, 3, 99);
    case 'q':
        return draw_between(stream, 100, 240);
    case 'a':
        return draw_between(stream, 10, 450);
    case 'b':
        return draw_between(stream, 451, 900);
    default:
        return draw_between(stream, 3, 5);
    }
}

/* Every placeholder is three bytes. */
static void expand(struct random_stream *stream, const char *template, const char *topic, char *out)
{
    size_t used = 0;
    for (const char *from = template; *from != '\0';) {
        const char *brace = strchr(from, '{');
        size_t plain = brace == NULL ? strlen(from) : (size_t)(brace - from);
        assert(used + plain + strlen(topic) + 12 < TEXT_SIZE);
        memcpy(out + used, from, plain);
        used += plain;
        from += plain;
        if (brace == NULL) {
            break;
        }
        int written = brace[1] == 't'
            ? snprintf(out + used, TEXT_SIZE - used, "%s", topic)
            : snprintf(out + used, TEXT_SIZE - used, "%u", draw_number(stream, brace[1]));
        assert(written > 0);
        used += (size_t)written;
        from += 3;
    }
    out[used] = '\0';
}

/* What breaks front ends: four-byte letters, quotes, line breaks. */
static void append_oddity(struct random_stream *stream, char *out)
{
    static const char *const oddities[] = {" 🙂📚", "\n1) \"а\";\n2) 'б'; \\ и / тоже",
        " — принести «Тетрадь \"А\"» 👩‍🏫"};
    const char *oddity = oddities[draw_below(stream, COUNT(oddities))];
    size_t used = strlen(out);
    assert(used + strlen(oddity) < TEXT_SIZE);
    memcpy(out + used, oddity, strlen(oddity) + 1);
}

void text_homework(
    struct random_stream *stream, enum school_subject subject, const char *topic, char *out)
{
    expand(stream, homework_template(stream, subject), topic, out);
    if (draw_chance(stream, 1)) {
        append_oddity(stream, out);
    }
}

void text_homework_longest(char *out)
{
    static const char line[] = "Повторить всё, что пройдено: правило, пример, упражнение.\n";
    size_t size = sizeof(line) - 1;
    size_t used = 0;
    for (; used + size < TEXT_SIZE; used += size) {
        memcpy(out + used, line, size);
    }
    memset(out + used, '.', TEXT_SIZE - 1 - used);
    out[TEXT_SIZE - 1] = '\0';
}

const char *text_comment(struct random_stream *stream)
{
    return comments[draw_below(stream, COUNT(comments))];
}

void text_message(struct random_stream *stream, char *out)
{
    expand(stream, messages[draw_below(stream, COUNT(messages))], "", out);
}
